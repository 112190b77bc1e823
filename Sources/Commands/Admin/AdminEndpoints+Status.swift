internal import AdminServer
internal import Controller
internal import EngineModel
internal import Inspection
internal import Platform

/// `/status`, `/traffic` and `/history`.
extension AdminEndpoints {
    var status: [HTTPRoute] {
        [
            route("/status", "gateways, listeners, routes, backends, policies and certificates, and how they stand") {
                _, parts in
                guard let tree = parts.statusTree else { return .problem(503, "no configuration has been applied yet") }
                return HTTPResponse(contentType: "application/json", body: tree.json + [UInt8(ascii: "\n")])
            },
            route("/traffic", "connections and bytes of the last ten minutes, and why connections were refused") {
                request, parts in
                .encoding(
                    parts.traffic(
                        TrafficSelection(
                            listeners: Set(request.values("listener")), routes: Set(request.values("route")),
                            backends: Set(request.values("backend")))))
            },
            route("/history", "the last 50 changes of the configuration, the newest first") { _, parts in
                .encoding(parts.controller.state.history)
            },
        ]
    }
}

extension Lifecycle.Parts {
    /// What is inspected now; nil before anything was applied.
    var inspected: Inspected? {
        controller.state.inspected(health: dataPlane.health(), traffic: dataPlane.traffic())
    }

    /// Nil before anything was applied.
    var statusTree: StatusTree? {
        let state = controller.state
        guard let inspected = state.inspected(health: dataPlane.health(), traffic: dataPlane.traffic()) else {
            return nil
        }
        var tree = StatusTree(inspected, times: state.conditionTimes)
        let view = source.view
        (tree.version, tree.source, tree.sourceDetail) = (sluiceVersion, view.kind, view.from)
        let wall = realtimeNanoseconds()
        (tree.time, tree.startedAt) = (wall / 1_000_000, start.seconds(wall: wall))
        (tree.appliedAt, tree.isLeader) = (state.appliedAt, view.isLeader)
        tree.warnings = dataPlane.warnings + source.missing + source.warnings + tree.warnings
        return tree
    }

    /// Of objects only those that are asked for.
    func traffic(_ selection: TrafficSelection) -> LiveTraffic {
        var live = observer.live
        live.generation = controller.state.acknowledgement?.generation ?? 0
        if !selection.isEmpty { live.take(dataPlane.traffic(), selection) }
        return live
    }
}
