internal import Inspection

/// All that is asked of a gateway for one picture. Values only.
struct TopLook: Hashable, Sendable {
    var tree: StatusTree
    /// Of the whole process, and a second or two before that; nil: it has just started.
    var total: LiveTraffic.Sample
    var earlierTotal: LiveTraffic.Sample?
    /// Empty where nobody looks at them.
    var connections: [ConnectionView] = []
    /// How many there are, of which ``connections`` may be a part.
    var connectionCount = 0
}

/// A look, and the one before it: what happens in a second.
struct TopRates: Sendable {
    let now: TopLook
    /// Nil: there was none, or the gateway has started anew since.
    let before: TopLook?
    /// Between the two, by the gateway's clock.
    private let seconds: Double

    init(_ now: TopLook, since before: TopLook?) {
        self.now = now
        let elapsed = Double(now.tree.time - (before?.tree.time ?? now.tree.time)) / 1000
        let isUsable = elapsed > 0 && before?.tree.startedAt == now.tree.startedAt
        self.before = isUsable ? before : nil
        seconds = elapsed
    }

    /// The same of the whole process, which the gateway samples by itself.
    func total(_ path: KeyPath<LiveTraffic.Sample, UInt64>) -> Double? {
        guard let earlier = now.earlierTotal, earlier.time < now.total.time,
            now.total[keyPath: path] >= earlier[keyPath: path]
        else { return nil }
        return Double(now.total[keyPath: path] - earlier[keyPath: path]) * 1000 / Double(now.total.time - earlier.time)
    }

    /// What a counter has grown by in a second. One that was not there before began at 0.
    func rate(_ count: UInt64, _ earlier: UInt64?) -> Double? {
        guard before != nil, count >= earlier ?? 0 else { return nil }
        return Double(count - (earlier ?? 0)) / seconds
    }

    /// Milliseconds that each took, of those that came about between the looks.
    func mean(_ sum: UInt64, _ earlierSum: UInt64?, of count: UInt64, _ earlierCount: UInt64?) -> Double? {
        guard before != nil, count > earlierCount ?? 0, sum >= earlierSum ?? 0 else { return nil }
        return Double(sum - (earlierSum ?? 0)) / Double(count - (earlierCount ?? 0)) / 1_000_000
    }
}

extension RouteTrafficNode {
    /// Connections that ended otherwise than by their client or backend.
    var failed: UInt64 {
        closed.lazy.filter { !["client_closed", "backend_closed"].contains($0.key) }.reduce(0) { $0 + $1.value }
    }
}
