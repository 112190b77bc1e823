internal import Inspection

// What each view shows.

extension TopRates {
    func table(_ view: TopView) -> TopTable {
        switch view {
        case .listeners: listeners
        case .routes: routes
        case .backends: backends
        case .connections: connections
        }
    }

    private static func columns(_ texts: [String], _ numbers: [String]) -> [TopTable.Column] {
        texts.map { TopTable.Column(title: $0, isNumber: false) }
            + numbers.map { TopTable.Column(title: $0, isNumber: true) }
    }

    private func problem(_ conditions: [ConditionNode]) -> String? { conditions.first(where: \.isProblem)?.reason }

    // MARK: Listeners

    private var listeners: TopTable {
        let old = (before?.tree.gateways ?? []).flatMap { gateway in
            gateway.listeners.map { (gateway.key($0), $0.traffic ?? .init()) }
        }
        let earlier = Dictionary(old, uniquingKeysWith: { $1 })
        return TopTable(
            columns: Self.columns(
                ["LISTENER", "MODE", "STATE"], ["PORT", "ACTIVE", "HANDSHAKES", "NEW/S", "REFUSED/S"]),
            rows: now.tree.gateways.flatMap { gateway in
                gateway.listeners.map { row($0, key: gateway.key($0), earlier[gateway.key($0)]) }
            })
    }

    private func row(_ listener: ListenerNode, key: String, _ earlier: ListenerTrafficNode?) -> TopTable.Row {
        let traffic = listener.traffic ?? .init()
        let unbound = listener.bindings.first { !$0.isBound }
        let fault = problem(listener.conditions) ?? unbound.map { $0.problem ?? "not bound" }
        let (refused, before) = (traffic.rejected.values.reduce(0, +), earlier?.rejected.values.reduce(0, +))
        return TopTable.Row(
            id: key,
            cells: [
                .text(key), .text(listener.mode), .text(fault ?? "ok"), .count(UInt64(max(0, listener.port))),
                .count(traffic.active), .count(traffic.handshaking), .rate(rate(traffic.accepted, earlier?.accepted)),
                .rate(rate(refused, before)),
            ], isProblem: fault != nil)
    }

    // MARK: Routes

    private var routes: TopTable {
        let earlier = Dictionary(
            (before?.tree.routes ?? []).map { ($0.key, $0.traffic ?? .init()) }, uniquingKeysWith: { $1 })
        return TopTable(
            columns: Self.columns(
                ["ROUTE", "STATE"], ["ACTIVE", "NEW/S", "FAILED/S", "IN/S", "OUT/S", "SETUP", "TOTAL"]),
            rows: now.tree.routes.map { row($0, earlier[$0.key]) })
    }

    private func row(_ route: RouteNode, _ earlier: RouteTrafficNode?) -> TopTable.Row {
        let traffic = route.traffic ?? .init()
        let fault = problem(route.parents.flatMap(\.conditions))
        return TopTable.Row(
            id: route.key,
            cells: [
                .text(route.key), .text(fault ?? "ok"), .count(traffic.active),
                .rate(rate(traffic.opened, earlier?.opened)), .rate(rate(traffic.failed, earlier?.failed)),
                .bytes(rate(traffic.requestBytes, earlier?.requestBytes)),
                .bytes(rate(traffic.responseBytes, earlier?.responseBytes)),
                .time(
                    mean(traffic.setupNanoseconds, earlier?.setupNanoseconds, of: traffic.setups, earlier?.setups)),
                .count(traffic.opened),
            ], isProblem: fault != nil)
    }

    // MARK: Backends

    private var backends: TopTable {
        let earlier = Dictionary(
            (before?.tree.backends ?? []).map { ($0.key, $0.traffic ?? .init()) }, uniquingKeysWith: { $1 })
        return TopTable(
            columns: Self.columns(
                ["BACKEND", "STATE"],
                ["UP", "ACTIVE", "QUEUED", "NEW/S", "FAILED/S", "RETRIES/S", "CONNECT"]),
            rows: now.tree.backends.map { row($0, earlier[$0.key]) })
    }

    private func row(_ backend: BackendNode, _ earlier: BackendTrafficNode?) -> TopTable.Row {
        let traffic = backend.traffic ?? .init()
        let up = backend.endpoints.count { $0.isUsable }
        let fault =
            problem(backend.conditions)
            ?? (backend.endpoints.isEmpty ? "no endpoints" : up == 0 ? "none healthy" : nil)
        let (failed, before) = (traffic.failed.values.reduce(0, +), earlier?.failed.values.reduce(0, +))
        return TopTable.Row(
            id: backend.key,
            cells: [
                .text(backend.key), .text(fault ?? "ok"),
                TopTable.Cell(text: "\(up)/\(backend.endpoints.count)", value: Double(up)), .count(traffic.active),
                .count(traffic.pending), .rate(rate(traffic.connected, earlier?.connected)),
                .rate(rate(failed, before)), .rate(rate(traffic.retries, earlier?.retries)),
                .time(
                    mean(
                        traffic.connectNanoseconds, earlier?.connectNanoseconds, of: traffic.connected,
                        earlier?.connected)),
            ], isProblem: fault != nil || up < backend.endpoints.count)
    }
}

extension TopRates {
    // MARK: Connections

    private var connections: TopTable {
        TopTable(
            columns: Self.columns(
                ["CLIENT", "STATE", "ROUTE", "ENDPOINT", "NAME"], ["AGE", "IDLE", "IN/S", "OUT/S", "IN", "OUT"]),
            rows: now.connections.map { connection in
                TopTable.Row(
                    id: connection.id,
                    cells: [
                        .text(connection.client), .text(connection.state),
                        .text(connection.route ?? connection.listener ?? "-"), .text(connection.endpoint ?? "-"),
                        .text(connection.serverName ?? "-"), .time(Double(connection.ageMilliseconds)),
                        .time(Double(connection.idleMilliseconds)), .bytes(connection.requestRate.map(Double.init)),
                        .bytes(connection.responseRate.map(Double.init)), .bytes(Double(connection.requestBytes)),
                        .bytes(Double(connection.responseBytes)),
                    ])
            })
    }
}

extension GatewayNode {
    func key(_ listener: ListenerNode) -> String { "\(namespace)/\(name)/\(listener.name)" }
}

extension EndpointNode {
    /// Whether it gets connections, as far as checks say.
    var isUsable: Bool { state == "healthy" || state == "serving" }
}
