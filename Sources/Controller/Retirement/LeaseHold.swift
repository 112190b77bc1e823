internal import FoundationEssentials
internal import KubernetesAPI
internal import KubernetesClient
internal import Platform

/// Keeps replicas that still run from writing, by holding their Lease: a leader whose Lease another holder has stops at
/// its next renewal, and in any case once its renewal deadline has passed.
final class LeaseHold {
    private let server: any APIServer
    private let settings: Retirement.Settings
    private let deadline: MonotonicTime
    private let identity = "retire_\(UUID().uuidString.lowercased())"
    /// As it was last written or read; nil: there is none.
    private var lease: ObservedLease?
    private var wasHeld = false

    /// How long replicas are kept away once everything is removed: enough to delete them.
    static let holdSeconds: Int64 = 600
    private static let kind = ResourceKind(
        group: "coordination.k8s.io", version: "v1", kind: "Lease", plural: "leases", namespaced: true)

    init(server: any APIServer, settings: Retirement.Settings, deadline: MonotonicTime) {
        (self.server, self.settings, self.deadline) = (server, settings, deadline)
    }

    private var key: ObjectKey { ObjectKey(namespace: settings.lease.namespace, name: settings.lease.name) }
    private var retry: RetryPolicy {
        RetryPolicy(total: max(.milliseconds(1), min(deadline - .now(), .seconds(10))), attempts: 6)
    }

    /// Takes the Lease from a replica that holds it, and waits until that one has stopped writing.
    func take() throws(APIError) {
        let owner = marker()
        for _ in 0..<10 {
            guard let current = try read() else { return }
            let holder = current.record.holder
            wasHeld = !holder.isEmpty && !holder.hasPrefix("retire_")
            lease = current
            guard wasHeld else { return }
            var record = current.record
            let wall = TimeText.micro(realtimeNanoseconds())
            (record.holder, record.durationSeconds) = (identity, LeaseHold.holdSeconds)
            (record.acquireTime, record.renewTime, record.transitions) = (wall, wall, record.transitions + 1)
            do throws(APIError) {
                try write(current.with(record, owner: owner))
                pause(until: min(.now() + settings.lease.renewDeadline, deadline))
                return
            } catch {
                guard error.code == 409 else { throw error }
            }
        }
        throw .malformed("the Lease changes too often to be taken")
    }

    /// Removes the Lease, or leaves it held where replicas may still run; says so then.
    func end() throws(APIError) -> String? {
        guard let lease else { return nil }
        if wasHeld {
            let minutes = LeaseHold.holdSeconds / 60
            return "the Lease \(key) keeps replicas that still run from writing for \(minutes) minutes"
        }
        let metadata = lease.object["metadata"]
        do throws(APIError) {
            try server.delete(
                LeaseHold.kind, key, uid: metadata?["uid"]?.text, resourceVersion: metadata?["resourceVersion"]?.text,
                retry: retry)
            return nil
        } catch {
            // It says nothing once nobody holds it.
            guard error.code == 403 else { throw error }
            return "the Lease \(key) stays: it may not be deleted by us"
        }
    }

    private func read() throws(APIError) -> ObservedLease? {
        do throws(APIError) {
            return ObservedLease(try server.get(LeaseHold.kind, key, retry: retry).decode(JSONValue.self))
        } catch {
            guard error.code == 404 else { throw error }
            return nil
        }
    }

    private func write(_ object: JSONValue) throws(APIError) {
        lease = ObservedLease(
            try server.update(LeaseHold.kind, key, object, retry: retry).decode(JSONValue.self))
    }

    /// The Lease goes with the installation's ConfigMap, where there is one.
    private func marker() -> OwnerMarker? {
        guard let name = settings.marker else { return nil }
        let key = ObjectKey(namespace: settings.lease.namespace, name: name)
        let kind = ResourceKind(group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true)
        return (try? server.get(kind, key, retry: retry)).map { OwnerMarker(name: name, uid: $0.uid) }
    }

    private func pause(until end: MonotonicTime) {
        let never = Monitored(false)
        _ = never.wait(until: end) { $0 ? true : nil }
    }
}

extension ObservedLease {
    fileprivate func with(_ record: LeaseRecord, owner: OwnerMarker?) -> JSONValue {
        let object = with(record)
        guard let owner, var fields = object.fields, var metadata = object["metadata"]?.fields else { return object }
        let others = (metadata["ownerReferences"]?.elements ?? []).filter { $0["uid"]?.text != owner.uid }
        metadata["ownerReferences"] = .array(others + [owner.reference])
        fields["metadata"] = .object(metadata)
        return .object(fields)
    }
}
