public import EngineModel

extension ListenerTrafficNode {
    public init(_ traffic: ListenerTraffic) {
        self.init()
        add(traffic)
    }

    mutating func add(_ traffic: ListenerTraffic) {
        accepted &+= traffic.accepted
        active &+= traffic.active
        handshaking &+= traffic.handshaking
        for (reason, count) in traffic.rejected { rejected[reason.rawValue, default: 0] &+= count }
    }
}

extension RouteTrafficNode {
    public init(_ traffic: RouteTraffic) {
        self.init()
        add(traffic)
    }

    mutating func add(_ traffic: RouteTraffic) {
        opened &+= traffic.opened
        active &+= traffic.active
        for (reason, count) in traffic.closed { closed[reason.rawValue, default: 0] &+= count }
        requestBytes &+= traffic.requestBytes
        responseBytes &+= traffic.responseBytes
        setupNanoseconds &+= traffic.setupNanoseconds
        setups &+= traffic.setups
    }
}

extension BackendTrafficNode {
    public init(_ traffic: BackendTraffic) {
        self.init()
        (active, pending, connected) = (traffic.active, traffic.pending, traffic.connected)
        (failed, retries, connectNanoseconds) = (traffic.failed, traffic.retries, traffic.connectNanoseconds)
    }
}
