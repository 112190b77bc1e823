internal import EngineModel
internal import Observability
internal import Synchronization

/// What became of connections to one endpoint: counted by whichever worker they are of, a few times for each connection and never
/// while bytes move, and only where ``BackendState/countsEndpoints``: workers share these lines.
struct EndpointTraffic: ~Copyable, Sendable {
    private let connected = Atomic<UInt64>(0)
    private let refused = Atomic<UInt64>(0)
    private let timedOut = Atomic<UInt64>(0)
    private let unreachable = Atomic<UInt64>(0)
    private let tlsFailed = Atomic<UInt64>(0)
    private let request = Atomic<UInt64>(0)
    private let response = Atomic<UInt64>(0)

    /// An attempt. One that failed for want of an address is no endpoint's.
    func count(_ result: ConnectResult) {
        switch result {
        case .ok: connected.add(1, ordering: .relaxed)
        case .refused: refused.add(1, ordering: .relaxed)
        case .timeout: timedOut.add(1, ordering: .relaxed)
        case .unreachable: unreachable.add(1, ordering: .relaxed)
        case .tlsError: tlsFailed.add(1, ordering: .relaxed)
        case .dnsError: break
        }
    }

    /// Bytes of a session that has ended.
    func count(request: UInt64, response: UInt64) {
        self.request.add(request, ordering: .relaxed)
        self.response.add(response, ordering: .relaxed)
    }

    /// What has been counted so far.
    var counts: Counts {
        var counts = Counts()
        counts.connects = [
            connected.load(ordering: .relaxed), refused.load(ordering: .relaxed), timedOut.load(ordering: .relaxed),
            unreachable.load(ordering: .relaxed), tlsFailed.load(ordering: .relaxed), 0,
        ]
        counts.request = request.load(ordering: .relaxed)
        counts.response = response.load(ordering: .relaxed)
        return counts
    }

    struct Counts {
        /// By ``ConnectResult``.
        var connects = [UInt64](repeating: 0, count: ConnectResult.allCases.count)
        var request: UInt64 = 0
        var response: UInt64 = 0
        var active = 0
        var isUp = false

        static func += (left: inout Counts, right: Counts) {
            for index in left.connects.indices { left.connects[index] += right.connects[index] }
            left.request += right.request
            left.response += right.response
            left.active += right.active
            left.isUp = left.isUp || right.isUp
        }
    }
}
