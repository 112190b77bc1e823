internal import EngineModel

extension Cause {
    static let policies: [Words] = [
        (
            .authorizationDenied, "a rule of a ClientPolicy's authorization does not let the client in",
            "look at authz_rule and close_detail of the access log, or ask sluice trace --from IP; then change the "
                + "policy's rules"
        ),
        (
            .connectionLimit, "as many connections are open as a ClientPolicy allows",
            "end idle ones (sluice connections), or raise connectionLimit.value in the ClientPolicy"
        ),
        (
            .sourceConnectionLimit,
            "the client's address has as many connections open as a ClientPolicy allows for one source",
            "look at the client (sluice connections), or raise connectionLimit.perSourceIP in the ClientPolicy; "
                + "behind a load balancer use the PROXY protocol"
        ),
        (
            .rateLimited, "connections come faster than a ClientPolicy allows",
            "look who connects that often, or raise connectionRateLimit in the ClientPolicy"
        ),
        (
            .overload,
            "the gateway had no descriptor or memory left for the connection, or no place, and the client had not got "
                + "through its handshake within a second",
            "raise the limits of the process (descriptors, memory, --max-connections), or add replicas"
        ),
    ]

    static let lifecycle: [Words] = [
        (
            .drain, "the gateway shuts down, and the time for established connections was over",
            "let clients connect again, or raise --drain-deadline"
        ),
        (
            .routeDeleted, "the connection's route was removed, and routeDrainTimeout is over",
            "nothing, if the route was meant to go; else restore it, or raise routeDrainTimeout in the "
                + "GatewayParameters"
        ),
        (
            .listenerRemoved, "the connection's listener was removed",
            "nothing, if the listener was meant to go; else restore it, or raise routeDrainTimeout in the "
                + "GatewayParameters"
        ),
        (
            .endpointUnhealthy,
            "the connection's endpoint became unhealthy, and its BackendPolicy closes sessions then",
            "look at what the health check fails at (sluice probe); onEndpointUnhealthy of the BackendPolicy decides"
        ),
        (
            .endpointRemoved,
            "the connection's endpoint was taken out of its backend, and the BackendPolicy closes sessions then",
            "nothing, if pods were replaced; onEndpointRemoved of the BackendPolicy decides"
        ),
        (
            .primaryRecovered, "a backend that goes before the connection's fallback is usable again",
            "nothing: let clients connect again; onPrimaryRecovered of the BackendPolicy decides"
        ),
        (
            .adminClosed, "an operator closed the connection",
            "ask who used sluice connections or the status page"
        ),
        (
            .internalError, "the gateway could not go on with the connection for a reason of its own",
            "look into the gateway's log at that time, and report it with sluice doctor"
        ),
    ]
}
