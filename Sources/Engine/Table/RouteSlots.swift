internal import EngineModel

/// The routes of a listener by small numbers, which its name table has as values. A value: a change makes one block of routes anew
/// and shares the others with the table before.
struct RouteSlots: Sendable {
    private var blocks: [[RouteRuntime?]] = []
    private var free: [Int32] = []
    /// Those with a backend that the configuration names and does not have (yet).
    private(set) var unresolved: Set<Int32> = []
    private static let blockSize = 64

    subscript(_ slot: Int32) -> RouteRuntime? {
        blocks[Int(slot) / RouteSlots.blockSize][Int(slot) % RouteSlots.blockSize]
    }

    mutating func add(_ route: RouteRuntime) -> Int32 {
        if free.isEmpty { grow() }
        let slot = free.removeLast()
        set(slot, to: route)
        return slot
    }

    mutating func remove(_ slot: Int32) {
        blocks[Int(slot) / RouteSlots.blockSize][Int(slot) % RouteSlots.blockSize] = nil
        unresolved.remove(slot)
        free.append(slot)
    }

    mutating func set(_ slot: Int32, to route: RouteRuntime) {
        blocks[Int(slot) / RouteSlots.blockSize][Int(slot) % RouteSlots.blockSize] = route
        if route.hasUnknownBackend { unresolved.insert(slot) } else { unresolved.remove(slot) }
    }

    private mutating func grow() {
        let start = blocks.count * RouteSlots.blockSize
        blocks.append([RouteRuntime?](repeating: nil, count: RouteSlots.blockSize))
        // The lowest is handed out first.
        free += (start..<start + RouteSlots.blockSize).reversed().map { Int32($0) }
    }

    /// Looks at every route.
    func forEach(_ body: (Int32, RouteRuntime) -> Void) {
        var slot: Int32 = 0
        for block in blocks {
            for route in block {
                if let route { body(slot, route) }
                slot += 1
            }
        }
    }
}
