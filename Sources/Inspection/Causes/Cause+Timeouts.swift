internal import EngineModel

extension Cause {
    static let timeouts: [Words] = [
        (
            .idleTimeout, "no byte went in either direction for longer than idleTimeout",
            "let client or backend send keepalives in their protocol, or raise timeout.tcp.idleTimeout in a "
                + "ClientPolicy"
        ),
        (
            .clientIdleTimeout, "the client sent nothing for longer than clientIdleTimeout",
            "look why the client is silent, or raise timeout.tcp.clientIdleTimeout in the ClientPolicy"
        ),
        (
            .serverIdleTimeout, "the backend sent nothing for longer than serverIdleTimeout",
            "look why the backend is silent, or raise timeout.tcp.serverIdleTimeout in the ClientPolicy"
        ),
        (
            .firstByteTimeout, "the client sent no first byte within firstByteTimeout",
            "unset timeout.tcp.firstByteTimeout in the ClientPolicy where servers speak first; else look at the "
                + "client"
        ),
        (
            .halfCloseTimeout,
            "one side had closed its direction, and the other went on without a byte for halfCloseTimeout",
            "look why the other side does not close, or raise timeout.tcp.halfCloseTimeout in a ClientPolicy"
        ),
        (
            .connectTimeout, "no endpoint that was tried answered within connectTimeout",
            "check that the pods are reachable from the gateway: network policies, firewalls, the port; then "
                + "timeout.tcp.connectTimeout in a BackendPolicy"
        ),
        (
            .queueTimeout, "the connection waited for room at the backend for longer than its BackendPolicy allows",
            "add endpoints, or raise circuitBreaker.maxConnections or queueTimeout in the BackendPolicy"
        ),
        (
            .maxDuration, "the connection lasted as long as maxConnectionDuration allows",
            "let clients connect again, or raise timeout.tcp.maxConnectionDuration in the ClientPolicy"
        ),
    ]
}
