internal import EngineModel
internal import Platform
internal import Synchronization

// What circuit breakers count. Goes on from table to table, as limits of clients do.

/// Connections that are there now, over all workers: taken first, given back after, so that there are never more than may be.
struct Tally: ~Copyable, Sendable {
    private let taken = Atomic<Int>(0)

    var value: Int { taken.load(ordering: .sequentiallyConsistent) }

    func hasRoom(atMost most: Int) -> Bool { value < most }

    func take(atMost most: Int) -> Bool {
        var known = taken.load(ordering: .sequentiallyConsistent)
        while known < most {
            let (isDone, found) = taken.weakCompareExchange(
                expected: known, desired: known + 1, ordering: .sequentiallyConsistent)
            if isDone { return true }
            known = found
        }
        return false
    }

    func giveBack() {
        let left = taken.subtract(1, ordering: .sequentiallyConsistent).newValue
        assert(left >= 0, "a connection was given back that was never taken")
    }
}

/// What goes through one level, that is one ``LimitID``, whichever backends it leads to.
final class CircuitState: Sendable {
    let open = Tally()
    /// How many lines wait for this level, or for an endpoint that is full by it.
    private let waiting = Atomic<Int>(0)
    private let lines = Locked<[PendingLine]>([])

    /// From now on the first of the line is woken whenever a connection through this level ends.
    func wakes(_ line: PendingLine) {
        lines.withLock { $0.append(line) }
        waiting.add(1, ordering: .sequentiallyConsistent)
    }

    func wakesNoMore(_ line: PendingLine) {
        let isThere = lines.withLock { lines in
            guard let index = lines.firstIndex(where: { $0 === line }) else { return false }
            lines.remove(at: index)
            return true
        }
        if isThere { waiting.subtract(1, ordering: .sequentiallyConsistent) }
    }

    /// Workers, as bits, with connections that are first in a line and may go on. Asked after something was given back: whoever
    /// began to wait before is seen here, and whoever did after sees what was given back.
    func workersToWake() -> UInt64 {
        guard waiting.load(ordering: .sequentiallyConsistent) != 0 else { return 0 }
        return lines.withLock { $0 }.reduce(0) { $0 | $1.firstWorker }
    }
}

/// Connections to one address through one level.
final class EndpointTally: Sendable {
    struct Key: Hashable, Sendable {
        var level: LimitID
        var address: StreamAddress
    }
    let open = Tally()
}

/// How many connections one endpoint may have, at all levels that say so.
final class EndpointRoom: Sendable {
    struct Level: Sendable {
        let tally: EndpointTally
        let most: Int
    }
    private let levels: [Level]

    init(_ levels: [Level]) { self.levels = levels }

    var isFull: Bool {
        for index in levels.indices where !levels[index].tally.open.hasRoom(atMost: levels[index].most) { return true }
        return false
    }

    /// At all levels or at none.
    func take() -> Bool {
        for index in levels.indices where !levels[index].tally.open.take(atMost: levels[index].most) {
            for taken in levels[..<index] { taken.tally.open.giveBack() }
            return false
        }
        return true
    }

    func giveBack() { for index in levels.indices { levels[index].tally.open.giveBack() } }
}

/// The circuit breakers of one backend, and its queue: immutable, made anew with their values.
final class BackendCircuit: Sendable {
    struct Level: Sendable {
        let state: CircuitState
        /// `Int.max`: any number.
        let most: Int
    }
    let levels: [Level]
    /// Parallel to the backend's endpoints; empty where any number of connections may go to each.
    let rooms: [EndpointRoom]
    /// Nil: what meets a limit is refused.
    let queue: Queue?

    struct Queue: Sendable {
        let line: PendingLine
        /// Those that wait under the queue's ``LimitID``, in whatever line.
        let length: PendingLength
        let most: Int
        /// Milliseconds.
        let timeout: Int64
    }

    init(levels: [Level], rooms: [EndpointRoom], queue: Queue?) {
        (self.levels, self.rooms, self.queue) = (levels, rooms, queue)
    }

    /// Whether the endpoint at a place has all the connections it may have: it is passed over.
    func isFull(_ endpoint: Int) -> Bool { endpoint < rooms.count && rooms[endpoint].isFull }

    var hasRoom: Bool {
        for index in levels.indices where !levels[index].state.open.hasRoom(atMost: levels[index].most) { return false }
        return true
    }

    /// Takes one connection at all levels, or at none.
    func take() -> Bool {
        for index in levels.indices where !levels[index].state.open.take(atMost: levels[index].most) {
            for taken in levels[..<index] { taken.state.open.giveBack() }
            return false
        }
        return true
    }

    func giveBack() { for index in levels.indices { levels[index].state.open.giveBack() } }

    /// After something was given back: workers with connections that may go on.
    func workersToWake() -> UInt64 {
        var workers: UInt64 = 0
        for index in levels.indices { workers |= levels[index].state.workersToWake() }
        return workers
    }
}
