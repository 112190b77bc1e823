internal import Platform

/// Lookups by the time at which they are due: a binary heap.
struct DueList {
    private var heap: [(time: MonotonicTime, identifier: Int)] = []

    /// The earliest time.
    var next: MonotonicTime? { heap.first?.time }

    mutating func insert(_ identifier: Int, at time: MonotonicTime) {
        heap.append((time, identifier))
        var child = heap.count - 1
        while child > 0, heap[child].time < heap[(child - 1) / 2].time {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes the earliest one if it is due.
    mutating func pop(until now: MonotonicTime) -> Int? {
        guard let first = heap.first, first.time <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while 2 * parent + 1 < heap.count {
            var child = 2 * parent + 1
            if child + 1 < heap.count, heap[child + 1].time < heap[child].time { child += 1 }
            guard heap[child].time < heap[parent].time else { break }
            heap.swapAt(child, parent)
            parent = child
        }
        return first.identifier
    }

    /// Moves everything that is due earlier to a time.
    mutating func postpone(until time: MonotonicTime) {
        for index in heap.indices where heap[index].time < time { heap[index].time = time }
    }
}
