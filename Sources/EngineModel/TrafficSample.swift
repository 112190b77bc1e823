/// All traffic together at one moment, and what was refused since the sample before.
public struct TrafficSample: Hashable, Sendable {
    /// Counts since the start, but for ``active``; what removed listeners and routes have counted is in them.
    public var accepted: UInt64 = 0
    /// Open now.
    public var active: UInt64 = 0
    /// From clients.
    public var requestBytes: UInt64 = 0
    /// To clients.
    public var responseBytes: UInt64 = 0
    /// From accept until bytes can flow: sum in nanoseconds, and how many.
    public var setupNanoseconds: UInt64 = 0
    public var setups: UInt64 = 0
    /// Since the sample before, in no order.
    public var refusals: [Refusal] = []

    public init() {}

    /// Connections that ended before a route was chosen, or in another way than by their client's or backend's end.
    public struct Refusal: Hashable, Sendable {
        public var place: Place
        public var reason: CloseReason
        public var count: UInt64

        public init(_ place: Place, _ reason: CloseReason, count: UInt64) {
            (self.place, self.reason, self.count) = (place, reason, count)
        }
    }

    /// Who counted it.
    public enum Place: Hashable, Sendable {
        case listener(ListenerID)
        case route(TrafficReport.RouteUse)
    }
}

/// Takes samples one after the other. For one thread at a time.
public protocol TrafficSampling: Sendable {
    /// Costs fractions of a microsecond for each listener and route, and a few for each that had traffic since the sample before.
    func next() -> TrafficSample
}
