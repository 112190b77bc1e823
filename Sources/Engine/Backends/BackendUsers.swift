/// Which routes of a listener lead to which backend, by their slots in the newest table: a backend that is another now makes those
/// routes anew, however many others there are. The compiler's, for the thread that compiles.
final class BackendUsers {
    /// Mostly a backend has one, which needs no set of its own.
    private var single: [ObjectIdentifier: Int32] = [:]
    /// Of the others, also where few are left.
    private var several: [ObjectIdentifier: Set<Int32>] = [:]

    func insert(_ route: RouteRuntime, at slot: Int32) {
        for case let target? in route.targets {
            let key = ObjectIdentifier(target.state)
            // In place: thousands of routes may lead to one backend.
            if several[key]?.insert(slot) != nil { continue }
            guard let other = single[key] else {
                single[key] = slot
                continue
            }
            if other == slot { continue }
            single[key] = nil
            several[key] = [other, slot]
        }
    }

    /// A route that leads to a backend twice is forgotten once.
    func remove(_ route: RouteRuntime, at slot: Int32) {
        for case let target? in route.targets {
            let key = ObjectIdentifier(target.state)
            if single[key] == slot { single[key] = nil }
            if several[key]?.remove(slot) != nil, several[key]?.isEmpty == true { several[key] = nil }
        }
    }

    func removeAll() { (single, several) = ([:], [:]) }

    func slots(of backends: some Sequence<BackendRuntime>) -> Set<Int32> {
        var found: Set<Int32> = []
        for backend in backends {
            let key = ObjectIdentifier(backend.state)
            if let slot = single[key] { found.insert(slot) }
            if let slots = several[key] { found.formUnion(slots) }
        }
        return found
    }
}
