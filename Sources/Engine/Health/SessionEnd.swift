internal import EngineModel
internal import Platform
internal import Synchronization

/// Why an established session was closed on account of its endpoint; label values of `sluice_backend_sessions_closed_total`.
enum SessionEnd: Int, CaseIterable, Sendable {
    case endpointUnhealthy, endpointRemoved, primaryRecovered

    var reason: CloseReason {
        switch self {
        case .endpointUnhealthy: .endpointUnhealthy
        case .endpointRemoved: .endpointRemoved
        case .primaryRecovered: .primaryRecovered
        }
    }
}

/// From when on, and over how long, sessions are closed. Times are milliseconds of the workers' clock.
struct SessionClosing: Hashable, Sendable {
    let end: SessionEnd
    let start: Int64
    /// At least 1, which is at once.
    let spread: Int64

    /// `timeout`: of ``SessionAction/drain``.
    init?(_ end: SessionEnd, _ action: SessionAction, from start: MonotonicTime, timeout: Duration) {
        self.end = end
        self.start = max(1, start.nanoseconds / 1_000_000)
        switch action {
        case .keep: return nil
        case .drain: spread = max(1, timeout.wholeMilliseconds)
        case .close: spread = 1
        }
    }

    init(end: SessionEnd, start: Int64, spread: Int64) { (self.end, self.start, self.spread) = (end, start, spread) }

    /// Each session has a moment of its own, evenly spread.
    func isDue(_ connection: UInt64, now milliseconds: Int64) -> Bool {
        milliseconds >= start + DrainCell.share(of: connection) % spread
    }

    /// Whether a session that was dialled then, in nanoseconds, is meant. One that was sent to an endpoint known to be unhealthy was
    /// sent there all the same, as too few others are healthy.
    func concerns(dialledAt: Int64) -> Bool { end != .endpointUnhealthy || dialledAt / 1_000_000 <= start }
}

/// What becomes of an endpoint's sessions. Lies in its state, which they hold: written by the control thread, read by workers when
/// they sweep.
struct SessionCell: ~Copyable, Sendable {
    /// 0: they go on.
    private let start = Atomic<Int64>(0)
    private let spread = Atomic<Int64>(1)
    private let end = Atomic<UInt8>(0)

    func set(_ closing: SessionClosing?) {
        start.store(0, ordering: .releasing)
        guard let closing else { return }
        spread.store(closing.spread, ordering: .releasing)
        end.store(UInt8(closing.end.rawValue), ordering: .releasing)
        start.store(closing.start, ordering: .releasing)
    }

    /// Nil: they go on.
    @inline(__always) var value: SessionClosing? {
        let since = start.load(ordering: .acquiring)
        guard since > 0, let end = SessionEnd(rawValue: Int(end.load(ordering: .acquiring))) else { return nil }
        return SessionClosing(end: end, start: since, spread: spread.load(ordering: .acquiring))
    }
}

/// A rule with fallback backends, over all tables and listeners: which of their sessions are closed as others can be used again.
final class FallbackRule: Sendable {
    private struct Newest {
        weak var route: RouteRuntime?
    }
    /// Oldest first.
    private let known = Locked<[Newest]>([])
    private let isSet = Atomic<Bool>(false)
    /// By backend, without variant.
    private let closings = Locked<[BackendID: SessionClosing]>([:])

    /// As it was compiled last, for one of its listeners.
    var route: RouteRuntime? { known.withLock { known in known.reversed().lazy.compactMap(\.route).first } }

    func use(_ route: RouteRuntime) {
        known.withLock { known in
            known.removeAll { $0.route == nil }
            known.append(Newest(route: route))
        }
    }

    func set(_ values: [BackendID: SessionClosing]) {
        closings.withLock { $0 = values }
        isSet.store(!values.isEmpty, ordering: .releasing)
    }

    func closing(of backend: BackendID) -> SessionClosing? {
        guard isSet.load(ordering: .acquiring) else { return nil }
        return closings.withLock { $0[backend.withoutVariant] }
    }

    var values: [BackendID: SessionClosing] { closings.withLock { $0 } }
}
