internal import EngineModel
internal import Platform
internal import Synchronization

/// How many connections wait under one ``LimitID``.
final class PendingLength: Sendable {
    let waiting = Tally()
}

/// Connections to one backend that wait for room, on whatever workers they are, in the order of their coming.
///
/// The first alone looks for room, and whoever comes while somebody waits stands behind. So the order holds over all workers, at
/// the price of a lock and one wake-up for each that goes on. Lines of several backends that wait at a common level have no
/// order among each other: what ends there wakes the first of each.
final class PendingLine: Sendable {
    struct Key: Hashable, Sendable {
        var queue: LimitID
        var backend: BackendID
    }

    struct Place: Sendable {
        let ticket: UInt64
        let worker: Int
        let slot: Int
    }

    private struct Order {
        var places = PendingOrder<Place>()
        var nextTicket: UInt64 = 0
        /// Levels that wake the first.
        var levels: [CircuitState] = []
    }
    private let order = Locked(Order())
    private let waiting = Atomic<Int>(0)

    var isEmpty: Bool { waiting.load(ordering: .acquiring) == 0 }
    var count: Int { waiting.load(ordering: .acquiring) }

    /// The place at the end, and how many stand before it. Who is first looks for room after this.
    func join(worker: Int, slot: Int, levels: [BackendCircuit.Level]) -> (place: Place, ahead: Int) {
        order.withLock { order in
            note(levels, in: &order)
            let place = Place(ticket: order.nextTicket, worker: worker, slot: slot)
            order.nextTicket += 1
            order.places.append(place, ticket: place.ticket)
            waiting.add(1, ordering: .sequentiallyConsistent)
            return (place, order.places.count - 1)
        }
    }

    /// From now on these wake the first, too. Whoever waits looks for room after this.
    func add(_ levels: [BackendCircuit.Level]) {
        order.withLock { order in
            if order.places.count > 0 { note(levels, in: &order) }
        }
    }

    private func note(_ levels: [BackendCircuit.Level], in order: inout Order) {
        for level in levels where !order.levels.contains(where: { $0 === level.state }) {
            order.levels.append(level.state)
            level.state.wakes(self)
        }
    }

    /// Whoever is first now looks for room.
    func leave(_ ticket: UInt64) -> Place? {
        order.withLock { order in
            let wasFirst = order.places.first?.ticket == ticket
            guard order.places.remove(ticket) else { return nil }
            waiting.subtract(1, ordering: .sequentiallyConsistent)
            if order.places.count == 0 {
                for level in order.levels { level.wakesNoMore(self) }
                order.levels = []
            }
            return wasFirst ? order.places.first : nil
        }
    }

    var first: Place? { order.withLock { $0.places.first } }

    /// The worker of the first, as a bit.
    var firstWorker: UInt64 { first.map { 1 << UInt64($0.worker) } ?? 0 }
}

/// Elements in the order of their tickets, which go up. Appending, and leaving at the front, take constant time; leaving elsewhere
/// takes a binary search.
struct PendingOrder<Element> {
    private var entries: [(ticket: UInt64, element: Element?)] = []
    /// Before it all have left.
    private var start = 0
    private(set) var count = 0

    var first: Element? { start < entries.count ? entries[start].element : nil }

    mutating func append(_ element: Element, ticket: UInt64) {
        entries.append((ticket, element))
        count += 1
    }

    /// False: it is not there.
    mutating func remove(_ ticket: UInt64) -> Bool {
        var (low, high) = (start, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].ticket < ticket { low = middle + 1 } else { high = middle }
        }
        guard low < entries.count, entries[low].ticket == ticket, entries[low].element != nil else { return false }
        entries[low].element = nil
        count -= 1
        while start < entries.count, entries[start].element == nil { start += 1 }
        if start > 32, start > entries.count / 2 {
            entries.removeFirst(start)
            start = 0
        }
        return true
    }
}
