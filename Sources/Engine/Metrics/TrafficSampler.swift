internal import EngineModel
internal import Platform

/// Adds up what listeners and routes count, sample by sample. Of what did not change a cache line is read for each worker; reasons
/// are looked at only where a connection ended in another way than most do.
final class TrafficSampler: TrafficSampling {
    private struct Memory {
        var sample = TrafficSample()
        var listeners = Book<ListenerState, ListenerLook>()
        var routes = Book<RouteState, RouteLook>()
    }
    private let listenerStates: Registry<TableCompiler.ListenerKey, ListenerState>
    private let routeStates: Registry<RouteState.Key, RouteState>
    private let memory = Locked(Memory())

    init(listeners: Registry<TableCompiler.ListenerKey, ListenerState>, routes: Registry<RouteState.Key, RouteState>) {
        (listenerStates, routeStates) = (listeners, routes)
    }

    func next() -> TrafficSample {
        memory.withLock { memory in
            memory.sample.active = 0
            memory.sample.refusals = []
            memory.listeners.look(listenerStates, into: &memory.sample)
            memory.routes.look(routeStates, into: &memory.sample)
            return memory.sample
        }
    }
}

/// How far one kind of counters was read.
private protocol Look {
    associatedtype State: AnyObject & Sendable
    init()
    /// Whether it ever counted anything.
    static func isUsed(_ state: State) -> Bool
    /// Adds what was counted since the last time.
    mutating func take(_ state: State, into sample: inout TrafficSample)
}

/// The states that have counted something, with how far they were read. It holds them, so that what a route counts as it goes is
/// read too: one that nobody else held before it was read is let go of.
private struct Book<State, Kind: Look> where Kind.State == State {
    private struct Entry {
        var state: State
        var look = Kind()
        var wasAlone = false
    }
    private var entries: [ObjectIdentifier: Entry] = [:]

    mutating func look<Key>(_ registry: Registry<Key, State>, into sample: inout TrafficSample) {
        eachEntry { $0.wasAlone = isKnownUniquelyReferenced(&$0.state) }
        read(registry.living(), into: &sample)
        var gone: [ObjectIdentifier] = []
        eachEntry { entry in
            if entry.wasAlone, isKnownUniquelyReferenced(&entry.state) { gone.append(ObjectIdentifier(entry.state)) }
        }
        for id in gone { entries[id] = nil }
    }

    private mutating func read(_ states: [State], into sample: inout TrafficSample) {
        for state in states where Kind.isUsed(state) {
            entries[ObjectIdentifier(state), default: Entry(state: state)].look.take(state, into: &sample)
        }
    }

    private mutating func eachEntry(_ body: (inout Entry) -> Void) {
        var index = entries.values.startIndex
        while index != entries.values.endIndex {
            body(&entries.values[index])
            entries.values.formIndex(after: &index)
        }
    }
}

private struct ListenerLook: Look {
    private var accepted: UInt64 = 0
    private var active: UInt64 = 0
    private var hadNews = false
    private var rejected = ReasonCounts()

    static func isUsed(_ state: ListenerState) -> Bool { state.counters.sum(ListenerField.accepted) > 0 }

    mutating func take(_ state: ListenerState, into sample: inout TrafficSample) {
        let now = (state.counters.sum(ListenerField.accepted), state.counters.gauge(ListenerField.active))
        // Workers may be between two counts of one end: it is looked for once more.
        let (hasNews, looksAgain) = (now != (accepted, active), hadNews)
        hadNews = hasNews
        sample.accepted &+= now.0 &- accepted
        sample.active &+= now.1
        (accepted, active) = now
        guard hasNews || looksAgain else { return }
        rejected.read(.listener(state.id), into: &sample.refusals) { state.counters.sum(ListenerField.rejected($0)) }
    }
}

private struct RouteLook: Look {
    private var requestBytes: UInt64 = 0
    private var responseBytes: UInt64 = 0
    private var setupNanoseconds: UInt64 = 0
    private var setups: UInt64 = 0
    /// Connections that ended, and how many of them in another way than by their peers' orderly end.
    private var ended: UInt64 = 0
    private var failed = ReasonCounts()

    static func isUsed(_ state: RouteState) -> Bool { state.counters.sum(RouteField.opened) > 0 }

    mutating func take(_ state: RouteState, into sample: inout TrafficSample) {
        let counters = state.counters
        RouteLook.step(&requestBytes, counters.sum(RouteField.requestBytes), &sample.requestBytes)
        RouteLook.step(&responseBytes, counters.sum(RouteField.responseBytes), &sample.responseBytes)
        let setupSum = counters.sum(RouteField.setup.sumField)
        if setupSum != setupNanoseconds {
            RouteLook.step(&setupNanoseconds, setupSum, &sample.setupNanoseconds)
            RouteLook.step(&setups, RouteField.setup.counts(counters).reduce(0, &+), &sample.setups)
        }
        let now = counters.sum(RouteField.opened) &- counters.sum(RouteField.active)
        guard now != ended else { return }
        let orderly = [CloseReason.clientClosed, .backendClosed].reduce(0) { count, reason in
            CloseSide.allCases.reduce(count) { $0 &+ counters.sum(RouteField.closed(reason, $1)) }
        }
        if now &- orderly != failed.total {
            let place = TrafficSample.Place.route(.init(listener: state.key.listener, route: state.route))
            failed.read(place, into: &sample.refusals, skips: [.clientClosed, .backendClosed]) { reason in
                CloseSide.allCases.reduce(0) { $0 &+ counters.sum(RouteField.closed(reason, $1)) }
            }
        }
        // Not before every end has its reason: workers may be between the two.
        if now == orderly &+ failed.total { ended = now }
    }

    private static func step(_ last: inout UInt64, _ now: UInt64, _ total: inout UInt64) {
        total &+= now &- last
        last = now
    }
}

/// Counts by reason as they were last read.
private struct ReasonCounts {
    /// Empty until something was counted.
    private var counts: [UInt64] = []
    private(set) var total: UInt64 = 0

    /// Reports what was counted since.
    mutating func read(
        _ place: TrafficSample.Place, into refusals: inout [TrafficSample.Refusal], skips: Set<CloseReason> = [],
        count: (CloseReason) -> UInt64
    ) {
        for reason in CloseReason.allCases where !skips.contains(reason) {
            let now = count(reason)
            if now == 0 { continue }
            if counts.isEmpty { counts = [UInt64](repeating: 0, count: CloseReason.allCases.count) }
            let more = now &- counts[reason.index]
            if more == 0 { continue }
            refusals.append(.init(place, reason, count: more))
            counts[reason.index] = now
            total &+= more
        }
    }
}
