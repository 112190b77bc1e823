internal import AdminServer
internal import EngineModel
internal import Inspection
internal import Platform

extension AdminEndpoints {
    /// Who is connected, and ending that.
    var connections: [HTTPRoute] {
        let rates = ConnectionRates()
        return [
            route("/connections", "open connections; ?FIELD=VALUE filters, ?sort= ?order= ?limit=") { request, parts in
                AdminEndpoints.list(request, parts.dataPlane, rates)
            },
            route("/connections/close", "ends the open connections that ?FIELD=VALUE names", method: .post) {
                request, parts in
                AdminEndpoints.close(request, parts.dataPlane)
            },
        ]
    }

    /// The part of the query that is no filter.
    private static let orderNames = ["limit", "sort", "order"]

    private static func list(
        _ request: HTTPRequest, _ engine: any DataPlane, _ rates: ConnectionRates
    ) -> HTTPResponse {
        let (filter, order): (ConnectionFilter, ConnectionOrder)
        do throws(ConnectionFilter.Problem) {
            let named = request.parameters.map { (name: $0.name, value: $0.value ?? "") }
            filter = try ConnectionFilter(named.filter { !orderNames.contains($0.name) })
            order = try ConnectionOrder(named.filter { orderNames.contains($0.name) })
        } catch {
            return .problem(400, error.message)
        }
        let now = MonotonicTime.now()
        let reference = rates.reference(now: now)
        let state = Locked((look: ConnectionRates.Look(time: now), selection: ConnectionSelection(order)))
        _ = engine.connections(limit: .max) { info in
            state.withLock { state in
                state.look.note(info)
                guard filter.admits(info) else { return }
                var view = ConnectionView(info)
                if let known = reference?.rates(of: info, now: now) {
                    (view.requestRate, view.responseRate) = (known.request, known.response)
                }
                state.selection.offer(view)
            }
            return false
        }
        return state.withLock { state in
            rates.keep(state.look)
            return HTTPResponse(contentType: "application/json", body: state.selection.list().json)
        }
    }

    private static func close(_ request: HTTPRequest, _ engine: any DataPlane) -> HTTPResponse {
        var named = request.parameters.map { (name: $0.name, value: $0.value ?? "") }
        let wantsAll = named.contains { $0 == ("all", "true") }
        named.removeAll { $0 == ("all", "true") }
        let filter: ConnectionFilter
        do throws(ConnectionFilter.Problem) { filter = try ConnectionFilter(named) } catch {
            return .problem(400, error.message)
        }
        guard wantsAll == filter.isEmpty else {
            return .problem(
                400,
                wantsAll
                    ? "all=true closes every connection and goes with no filter"
                    : "say which connections to close by at least one filter, or all=true for every one")
        }
        let closed = engine.closeConnections(reason: .adminClosed, where: filter.admits)
        return HTTPResponse(
            contentType: "application/json", body: ClosedConnections(closed: closed.map { ConnectionView($0) }).json)
    }
}

extension ConnectionOrder {
    /// From `limit`, `sort` and `order`.
    init(_ parameters: [(name: String, value: String)]) throws(ConnectionFilter.Problem) {
        self.init()
        for (name, value) in parameters { try set(name, value) }
    }

    private mutating func set(_ name: String, _ value: String) throws(ConnectionFilter.Problem) {
        switch name {
        case "limit":
            guard let number = Int(value), ConnectionOrder.limits.contains(number) else {
                throw ConnectionOrder.problem(
                    name, value, "\(ConnectionOrder.limits.lowerBound) to \(ConnectionOrder.limits.upperBound)")
            }
            limit = number
        case "sort":
            guard ConnectionOrder.keys.contains(value) else {
                throw ConnectionOrder.problem(name, value, ConnectionOrder.keys.joined(separator: ", "))
            }
            key = value
        default:
            guard value == "ascending" || value == "descending" else {
                throw ConnectionOrder.problem(name, value, "ascending, descending")
            }
            isAscending = value == "ascending"
        }
    }

    private static func problem(_ name: String, _ value: String, _ allowed: String) -> ConnectionFilter.Problem {
        ConnectionFilter.Problem(message: "\(name): '\(value)' is not allowed; allowed: \(allowed)")
    }
}
