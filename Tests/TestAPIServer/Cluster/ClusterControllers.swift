internal import KubernetesAPI
internal import Platform

/// The controllers of a cluster as far as a gateway meets them, on a thread of their own: garbage collection, the end of
/// namespaces, endpoints, load balancers. It works off what changed, so that ten thousand objects at rest cost nothing.
final class ClusterControllers {
    private struct ObjectID: Hashable {
        var plural: String
        var path: ObjectPath
    }

    private let state: Locked<ClusterState>
    private var position: Int64 = 0
    private var podRevision = 0
    private var owned: Set<ObjectID> = []
    private var balancers: [ObjectPath: MonotonicTime] = [:]
    private var namespaces: [String: MonotonicTime] = [:]
    private var services: Set<ObjectPath> = []

    init(_ state: Locked<ClusterState>) { self.state = state }

    func run(waking waker: EventDescriptor, until isStopped: () -> Bool) {
        while !isStopped() {
            state.withLock { state in
                for _ in 0..<20 where settle(&state) {}
            }
            let next = (balancers.values.map { $0 } + namespaces.values.map { $0 }).min()
            let wait = next.map { max(.milliseconds(1), $0 - .now()) }
            _ = try? pollReadable([waker.raw], timeout: wait)
            waker.drain()
        }
    }

    /// One round; true where it found something to do.
    private func settle(_ state: inout ClusterState) -> Bool {
        let from = position
        position = state.version
        var isBusy = false
        // Gathered first: whoever writes while a copy of the stores is held copies every object of a kind.
        for (kind, change) in changes(in: state, after: from) {
            isBusy = true
            note(change, of: kind, &state)
        }
        if podRevision != state.endpointPlan.revision {
            podRevision = state.endpointPlan.revision
            services.formUnion((state.stores["services"]?.objects ?? [:]).keys)
            for path in (state.stores["deployments.apps"]?.objects ?? [:]).keys { state.writeDeploymentStatus(path) }
        }
        for path in services { state.writeSlices(of: path) }
        services = []
        balance(&state)
        endNamespaces(&state)
        return isBusy
    }

    private func changes(in state: borrowing ClusterState, after version: Int64) -> [(ServedKind, ObjectChange)] {
        state.stores.values.flatMap { store in
            let changes =
                version < store.compacted
                ? store.objects.map { path, object in
                    ObjectChange(version: object.version, path: path, object: object, isDeletion: false)
                } : Array(store.changes(after: version))
            return changes.map { (store.kind, $0) }
        }
    }

    private func note(_ change: ObjectChange, of kind: ServedKind, _ state: inout ClusterState) {
        let identity = ObjectID(plural: kind.qualifiedPlural, path: change.path)
        let object = change.object.value
        if change.isDeletion {
            owned.remove(identity)
            for other in owned { collect(other, &state) }
        } else if object.at("metadata", "ownerReferences")?.elements?.isEmpty == false {
            owned.insert(identity)
            collect(identity, &state)
        }
        switch kind.qualifiedKind {
        case "Service":
            services.insert(change.path)
            let isBalanced = !change.isDeletion && object.at("spec", "type")?.text == "LoadBalancer"
            let hasAddress = object.at("status", "loadBalancer", "ingress") != nil
            if isBalanced, !hasAddress, let delay = state.options.balancerDelay {
                if balancers[change.path] == nil { balancers[change.path] = .now() + delay }
            } else {
                balancers[change.path] = nil
            }
        case "Deployment.apps":
            if !change.isDeletion { state.writeDeploymentStatus(change.path) }
            let all = (state.stores["services"]?.objects ?? [:]).keys
            services.formUnion(all.filter { $0.namespace == change.path.namespace })
        case "Namespace" where !change.isDeletion && object.at("metadata", "deletionTimestamp") != nil:
            if namespaces[change.path.name] == nil {
                namespaces[change.path.name] = .now() + state.options.namespaceTermination
            }
        default: break
        }
    }

    private func collect(_ identity: ObjectID, _ state: inout ClusterState) {
        guard let store = state.stores[identity.plural], let object = store.objects[identity.path],
            state.isOrphan(object.value, in: identity.path.namespace)
        else { return }
        _ = try? state.delete(store.kind, identity.path, options: nil)
    }

    private func balance(_ state: inout ClusterState) {
        let services = state.kind("services")
        for (path, due) in balancers where due <= .now() {
            balancers[path] = nil
            guard state.object(services, path) != nil else { continue }
            let address = state.network.balancerAddress(in: state.options.balancerBase)
            let status = JSONValue.object([
                "status": .object([
                    "loadBalancer": .object([
                        "ingress": .array([.object(["ip": .string(address), "ipMode": .string("VIP")])])
                    ])
                ])
            ])
            _ = try? state.patch(services, path, subresource: "status", with: status, by: .server)
        }
    }

    private func endNamespaces(_ state: inout ClusterState) {
        for (name, due) in namespaces where due <= .now() {
            if state.removeNamespace(name) {
                namespaces[name] = nil
            } else {
                namespaces[name] = .now() + .milliseconds(20)
            }
        }
    }
}
