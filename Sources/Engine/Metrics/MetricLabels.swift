internal import EngineModel
internal import Observability

/// Labels that many series have in common, rendered once.
enum MetricLabels {
    /// In the order of the fields.
    static let reasons = CloseReason.allCases.map { ($0, LabelSet(["reason": $0.rawValue])) }
    static let ends = CloseReason.allCases.flatMap { reason in
        CloseSide.allCases.map { side in
            ((reason, side), LabelSet(["reason": reason.rawValue, "side": side.rawValue]))
        }
    }
    static let directions = [
        (Direction.request, LabelSet(["direction": "request"])), (.response, LabelSet(["direction": "response"])),
    ]
    static let connects = ConnectResult.allCases.map { ($0, LabelSet(["result": $0.label])) }
}

extension MetricFamily {
    /// A series of something that happened; before it did there is none.
    mutating func count(_ labels: LabelSet, _ count: UInt64) { if count > 0 { sample(labels, count) } }

    /// The same for each of several things.
    mutating func counts<Thing>(_ labels: LabelSet, _ things: [(Thing, LabelSet)], _ count: (Thing) -> UInt64) {
        for (thing, more) in things {
            let count = count(thing)
            if count > 0 { sample(labels, more, count) }
        }
    }

    /// Written once it has counted something.
    mutating func histogram(_ labels: LabelSet, _ layout: HistogramLayout, _ block: CounterBlock) {
        let counts = layout.counts(block)
        guard counts.contains(where: { $0 > 0 }) else { return }
        histogram(labels, layout.bounds, counts: counts, sumNanoseconds: block.sum(layout.sumField))
    }
}

extension LabelSet {
    init(listener: ListenerID, port: UInt16) {
        self.init([
            "gateway_namespace": listener.gatewayNamespace, "gateway": listener.gateway, "listener": listener.listener,
            "port": String(port),
        ])
    }

    init(of key: RouteState.Key) {
        self.init([
            "gateway_namespace": key.listener.gatewayNamespace, "gateway": key.listener.gateway,
            "listener": key.listener.listener, "port": String(key.port), "route_kind": key.kind,
            "route_namespace": key.namespace, "route": key.name,
        ])
    }

    init(backend id: BackendID) {
        self.init([
            "backend_kind": id.kind, "backend_namespace": id.namespace, "backend": id.name,
            "backend_port": id.port == 0 ? "" : String(id.port),
        ])
    }
}

extension RouteState.Key: Comparable {
    static func < (left: RouteState.Key, right: RouteState.Key) -> Bool {
        if left.listener != right.listener { return left.listener < right.listener }
        if left.namespace != right.namespace { return left.namespace < right.namespace }
        return (left.name, left.kind, left.port) < (right.name, right.kind, right.port)
    }
}
