internal import Synchronization

/// Counts how many names lead to the routes that one compilation touches, and tells which of them came or went with it.
struct RouteUses {
    fileprivate struct Touched {
        let state: RouteState
        let before: Int
    }
    private var touched: [ObjectIdentifier: Touched] = [:]

    mutating func acquire(_ state: RouteState) { change(state, by: 1) }
    mutating func release(_ state: RouteState) { change(state, by: -1) }

    mutating func release(routesOf listener: ListenerRuntime) {
        listener.slots.forEach { release($1.state) }
    }

    mutating func release(everythingOf listener: ListenerRuntime) {
        release(routesOf: listener)
        if let fallback = listener.fallback { release(fallback.state) }
    }

    private mutating func change(_ state: RouteState, by amount: Int) {
        let before = state.uses.load(ordering: .relaxed)
        if touched[ObjectIdentifier(state)] == nil {
            touched[ObjectIdentifier(state)] = Touched(state: state, before: before)
        }
        state.uses.store(before + amount, ordering: .relaxed)
    }

    /// Nothing leads to them any more.
    var left: [RouteState] { touched.values.filter { $0.before > 0 && $0.now == 0 }.map(\.state) }
    /// Nothing led to them before.
    var arrived: [RouteState] { touched.values.filter { $0.before == 0 && $0.now > 0 }.map(\.state) }

    /// Takes back what was counted.
    mutating func undo() {
        for entry in touched.values { entry.state.uses.store(entry.before, ordering: .relaxed) }
        touched = [:]
    }
}

extension RouteUses.Touched {
    fileprivate var now: Int { state.uses.load(ordering: .relaxed) }
}
