public import EngineModel

/// The objects whose counts a request asks for, by their keys.
public struct TrafficSelection: Hashable, Sendable {
    public var listeners: Set<String>
    public var routes: Set<String>
    public var backends: Set<String>

    public init(listeners: Set<String> = [], routes: Set<String> = [], backends: Set<String> = []) {
        (self.listeners, self.routes, self.backends) = (listeners, routes, backends)
    }

    public var isEmpty: Bool { listeners.isEmpty && routes.isEmpty && backends.isEmpty }
}

extension LiveTraffic {
    /// Takes over what was counted of the objects that are asked for. What is not there is left out.
    public mutating func take(_ traffic: TrafficReport, _ selection: TrafficSelection) {
        if !selection.listeners.isEmpty {
            for (id, counts) in traffic.listeners {
                let key = id.description
                if selection.listeners.contains(key) { listeners[key] = ListenerTrafficNode(counts) }
            }
        }
        if !selection.routes.isEmpty {
            for (use, counts) in traffic.routes {
                let key = use.route.description
                if selection.routes.contains(key) { routes[key, default: .init()].add(counts) }
            }
        }
        if !selection.backends.isEmpty {
            for (id, counts) in traffic.backends {
                let key = id.description
                if selection.backends.contains(key) { backends[key] = BackendTrafficNode(counts) }
            }
        }
    }
}
