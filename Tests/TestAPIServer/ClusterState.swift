internal import FoundationEssentials
internal import KubernetesAPI
internal import Platform

/// All that the server knows: objects, versions, who may do what, what goes wrong. Kept behind one lock.
struct ClusterState: Sendable {
    let options: TestAPIServer.Options
    /// By qualified plural.
    var stores: [String: KindStore] = [:]
    /// The version of the latest change.
    var version: Int64 = 277
    var faults = Faults()
    var tokens: [String: AccessToken]
    /// Signalled at every change; by the number of the watch.
    var wakers: [Int: EventDescriptor] = [:]
    /// Raised to end all running watches.
    var watchEpoch = 0
    var statistics = RequestStatistics()
    var network: NetworkPool
    var endpointPlan = EndpointPlan()
    private var journal: Journal?

    init(options: TestAPIServer.Options) throws {
        self.options = options
        tokens = options.tokens
        network = NetworkPool(seed: options.seed)
        for kind in CoreKinds.all { serve(kind) }
        for kind in GatewayKinds.all { try? install(kind) }
        if let path = options.journal {
            let past = try Journal.entries(path)
            let journal = try Journal(path)
            self.journal = journal
            guard past.isEmpty else {
                try restore(past)
                return
            }
            for store in stores.values {
                for (path, object) in store.objects { journal.append(store.kind, path, object, isDeletion: false) }
            }
        }
        for name in ["default", "kube-system", "kube-public"] {
            var namespace = JSONValue.object([:])
            namespace.set("metadata", "name", to: .string(name))
            _ = try? create(kind("namespaces"), namespace: nil, object: namespace, by: .server)
        }
    }

    /// The kind of that qualified plural, which every server has.
    func kind(_ qualifiedPlural: String) -> ServedKind {
        stores[qualifiedPlural]?.kind ?? ServedKind(kind: qualifiedPlural, plural: qualifiedPlural)
    }

    /// Begins to serve a kind, with no objects.
    mutating func serve(_ kind: ServedKind) {
        if stores[kind.qualifiedPlural] == nil {
            stores[kind.qualifiedPlural] = KindStore(kind: kind, compacted: version)
        } else {
            stores[kind.qualifiedPlural]?.kind = kind
        }
    }

    func object(_ kind: ServedKind, _ path: ObjectPath) -> StoredObject? {
        stores[kind.qualifiedPlural]?.objects[path]
    }

    /// Stores a version of an object (nil deletes it), tells the watches, and returns what is stored or was deleted.
    @discardableResult
    mutating func commit(_ kind: ServedKind, _ path: ObjectPath, _ value: JSONValue?) -> StoredObject? {
        let previous = object(kind, path)
        guard var next = value ?? previous?.value else { return nil }
        version += 1
        next.set("metadata", "resourceVersion", to: .string(String(version)))
        let stored = StoredObject(next, version: version)
        let key = kind.qualifiedPlural
        stores[key]?.objects[path] = value == nil ? nil : stored
        stores[key]?.record(
            ObjectChange(
                version: version, path: path, previous: previous, object: stored, isDeletion: value == nil),
            limit: options.changesKept)
        journal?.append(kind, path, stored, isDeletion: value == nil)
        wake()
        return stored
    }

    /// Forgets the changes up to now (or to a version): watches and paged lists that began before are told 410.
    mutating func compact(upTo version: Int64? = nil) {
        for key in stores.keys { stores[key]?.compact(upTo: version ?? self.version) }
    }

    mutating func set(_ faults: Faults) {
        self.faults = faults
        wake()
    }

    mutating func closeWatches() {
        watchEpoch += 1
        wake()
    }

    mutating func changePods(_ change: (inout [ObjectPath: TestPod]) -> Void) {
        change(&endpointPlan.pods)
        endpointPlan.revision += 1
        wake()
    }

    /// Lets watches and controllers look again.
    func wake() { for waker in wakers.values { waker.signal() } }

    static func now() -> String {
        let seconds = realtimeNanoseconds() / 1_000_000_000
        return Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    }
}

/// What clients asked for.
public struct RequestStatistics: Hashable, Sendable {
    /// Answered requests, by method and target without query, such as `PATCH /api/v1/…`. Watches count once, as `WATCH`.
    public var counts: [String: Int] = [:]
    public var total = 0
    /// Watches that run now.
    public var watches = 0
    /// Writes of clients that left the object as it was, such as `TCPRoute/status default/db`.
    public var unchanged: [String] = []
    public var unchangedWrites: Int { unchanged.count }
}
