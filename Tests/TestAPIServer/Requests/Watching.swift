internal import KubernetesAPI
internal import Platform

/// One running watch: what it wants, and how far it is. Owned by its connection's thread.
struct WatchPlan: Sendable {
    let kind: ServedKind
    let filter: ObjectFilter
    let rendering: Rendering
    let allowsBookmarks: Bool
    /// When the server ends it.
    let deadline: MonotonicTime
    let started = MonotonicTime.now()
    let epoch: Int
    /// Changes after this version are still to be sent.
    var position: Int64
    /// Sent first: the objects that exist, and the bookmark after them.
    var initial: [[UInt8]] = []
    /// The watch ends at once with this.
    var refusal: APIStatus?
    var hasSentGarbage = false

    static func event(_ type: String, _ object: [UInt8]) -> [UInt8] {
        Array(#"{"type":"\#(type)","object":"#.utf8) + object + Array("}\n".utf8)
    }
}

extension ClusterState {
    /// GET with watch: what to send first, and from where on.
    mutating func watch(
        _ kind: ServedKind, filter: ObjectFilter, request: ServedRequest, rendering: Rendering
    ) throws -> WatchPlan {
        let seconds = request.query["timeoutSeconds"].flatMap { Int64($0) } ?? 1800
        let text = request.query["resourceVersion"] ?? ""
        let sendsInitial = request.flag("sendInitialEvents")
        try checkStreaming(request)
        guard let wanted = text.isEmpty ? 0 : Int64(text) else {
            throw APIStatus.badRequest("resourceVersion: Invalid value: \"\(text)\": strconv.ParseUint: invalid syntax")
        }
        var plan = WatchPlan(
            kind: kind, filter: filter, rendering: rendering, allowsBookmarks: request.flag("allowWatchBookmarks"),
            deadline: .now() + .seconds(seconds), epoch: watchEpoch, position: version)
        if sendsInitial || wanted == 0 {
            let objects = stores[kind.qualifiedPlural]?.objects ?? [:]
            let found = objects.filter { filter.matches($0.key, $0.value.value) }.sorted { $0.key < $1.key }
            plan.initial = found.map { WatchPlan.event("ADDED", rendering.bytes($0.value)) }
            if sendsInitial, plan.allowsBookmarks {
                let mark = rendering.bookmark(version: version, endsInitialEvents: true)
                plan.initial.append(WatchPlan.event("BOOKMARK", mark))
            }
        } else if wanted < stores[kind.qualifiedPlural]?.compacted ?? 0 {
            plan.refusal = .expired(
                "too old resource version: \(wanted) (\(stores[kind.qualifiedPlural]?.compacted ?? 0))")
        } else {
            plan.position = wanted
        }
        return plan
    }

    private func checkStreaming(_ request: ServedRequest) throws {
        guard request.query["sendInitialEvents"] != nil else { return }
        let message: String
        if !options.offersStreamingLists {
            message =
                "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature "
                + "gate is enabled"
        } else if request.query["resourceVersionMatch"] != "NotOlderThan" {
            message =
                "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to "
                + "NotOlderThan"
        } else {
            return
        }
        throw APIStatus(
            code: 422, reason: "Invalid", message: "ListOptions.meta.k8s.io \"\" is invalid: \(message)",
            details: .object(["group": .string("meta.k8s.io"), "kind": .string("ListOptions")]))
    }

    /// What has happened since the plan's position, as text; the position moves on. nil: the changes are forgotten.
    func events(for plan: inout WatchPlan) -> [[UInt8]]? {
        guard let store = stores[plan.kind.qualifiedPlural] else { return nil }
        if plan.position < store.compacted, plan.position < version { return nil }
        var events: [[UInt8]] = []
        for change in store.changes(after: plan.position) {
            plan.position = change.version
            let matched = change.previous.map { plan.filter.matches(change.path, $0.value) } ?? false
            let matches = !change.isDeletion && plan.filter.matches(change.path, change.object.value)
            switch (matched, matches) {
            case (false, false): continue
            case (false, true): events.append(WatchPlan.event("ADDED", plan.rendering.bytes(change.object)))
            case (true, true): events.append(WatchPlan.event("MODIFIED", plan.rendering.bytes(change.object)))
            case (true, false):
                // The last state, with the version of the change that took it away.
                var last = change.isDeletion ? change.object.value : change.previous?.value ?? change.object.value
                last.set("metadata", "resourceVersion", to: .string(String(change.version)))
                events.append(
                    WatchPlan.event("DELETED", plan.rendering.bytes(StoredObject(last, version: change.version))))
            }
        }
        plan.position = max(plan.position, version)
        return events
    }
}
