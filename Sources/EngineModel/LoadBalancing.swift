/// How an endpoint of a backend is chosen for a connection (BackendPolicy.spec.loadBalancer).
public struct LoadBalancing: Hashable, Sendable {
    public var method: Method
    /// An endpoint that joins later gets its share little by little in that time; those present at the start do not. Only with
    /// ``Method/leastRequest`` and ``Method/roundRobin``.
    public var slowStart: Duration?
    /// Nil: ``EndpointConfiguration/preference`` alone says who is near.
    public var zones: ZonePreference?

    public enum Method: Hashable, Sendable {
        /// Two are drawn by weight, the one with fewer connections for its weight is taken.
        case leastRequest
        /// In turns, each as often as its weight says.
        case roundRobin
        /// Drawn by weight.
        case random
        /// The same source goes to the same endpoint: on every replica, after a restart, for any order of endpoints.
        case consistentHash(ConsistentHash)
    }

    public init(method: Method = .leastRequest, slowStart: Duration? = nil, zones: ZonePreference? = nil) {
        self.method = method
        self.slowStart = slowStart
        self.zones = zones
    }
}

/// Maglev hashing by the client's address.
public struct ConsistentHash: Hashable, Sendable {
    /// Which bits of the address count.
    public var source: SourcePrefix
    /// Places in the table: a prime, 2–5000011.
    public var tableSize: Int
    /// How many per cent of the mean number of connections an endpoint may have before the next one takes its place: 100–10000;
    /// nil: any number.
    public var boundedLoadPercent: Int?

    public init(source: SourcePrefix = .init(), tableSize: Int = 65_537, boundedLoadPercent: Int? = nil) {
        self.source = source
        self.tableSize = tableSize
        self.boundedLoadPercent = boundedLoadPercent
    }
}

/// Endpoints in the gateway's own zone go first (BackendPolicy.spec.loadBalancer.zoneAware.preferLocal).
public struct ZonePreference: Hashable, Sendable {
    /// The zone that this process runs in. Not empty.
    public var zone: String
    /// With fewer usable endpoints in all zones together, zones do not count. At least 1.
    public var minimumEndpoints: Int
    /// Not nil: everything stays in the zone while it has at least that many usable endpoints. Nil: the zone gets no more than its
    /// endpoints' share would be if each zone sent as much as the others, and the rest goes to the other zones.
    public var forcedMinimum: Int?
    /// Of a hundred connections that many look at zones, 0–100.
    public var percentage: Int

    public init(zone: String, minimumEndpoints: Int = 1, forcedMinimum: Int? = nil, percentage: Int = 100) {
        self.zone = zone
        self.minimumEndpoints = minimumEndpoints
        self.forcedMinimum = forcedMinimum
        self.percentage = percentage
    }
}
