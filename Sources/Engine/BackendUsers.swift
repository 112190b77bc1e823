/// Which routes of a listener lead to which backend, by their slots in the newest table: a backend that is another now makes those
/// routes anew, however many others there are. The compiler's, for the thread that compiles.
final class BackendUsers {
    /// Mostly it is one, which needs no set of its own.
    private enum Slots {
        case one(Int32)
        case several(Set<Int32>)
    }
    private var slots: [ObjectIdentifier: Slots] = [:]

    func insert(_ route: RouteRuntime, at slot: Int32) {
        for case let target? in route.targets {
            let key = ObjectIdentifier(target.state)
            switch slots[key] {
            case nil: slots[key] = .one(slot)
            case .one(let other)?: if other != slot { slots[key] = .several([other, slot]) }
            case .several(var others)?:
                slots[key] = nil
                others.insert(slot)
                slots[key] = .several(others)
            }
        }
    }

    /// A route that leads to a backend twice is forgotten once.
    func remove(_ route: RouteRuntime, at slot: Int32) {
        for case let target? in route.targets {
            let key = ObjectIdentifier(target.state)
            switch slots[key] {
            case nil: continue
            case .one(let other)?: if other == slot { slots[key] = nil }
            case .several(var others)?:
                slots[key] = nil
                others.remove(slot)
                if !others.isEmpty { slots[key] = .several(others) }
            }
        }
    }

    func removeAll() { slots = [:] }

    func slots(of backends: some Sequence<BackendRuntime>) -> Set<Int32> {
        var found: Set<Int32> = []
        for backend in backends {
            switch slots[ObjectIdentifier(backend.state)] {
            case nil: continue
            case .one(let slot)?: found.insert(slot)
            case .several(let slots)?: found.formUnion(slots)
            }
        }
        return found
    }
}
