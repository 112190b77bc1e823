internal import EngineModel

extension Cause {
    static let backends: [Words] = [
        (
            .noRoute, "the listener has no route that takes the connection",
            "attach a TCPRoute or TLSRoute to the listener, and look at the condition Accepted of those that name it"
        ),
        (
            .noHealthyEndpoint, "every endpoint of the backend is unhealthy or ejected",
            "look at what the health check fails at (sluice probe, sluice explain), and mend the endpoints or the "
                + "check"
        ),
        (
            .noEndpoints, "the backend has no endpoint that is ready",
            "check that the Service's selector matches pods that are Ready, and that its port and targetPort exist"
        ),
        (
            .invalidBackend, "the route's reference to its backend does not resolve",
            "look at the condition ResolvedRefs of the route: the backend's name, kind, namespace and port, and its "
                + "ReferenceGrant"
        ),
        (
            .connectRefused, "every endpoint that was tried refused the connection",
            "check that the backend listens on the port that the endpoint names: the targetPort of the Service, the "
                + "program's own setting"
        ),
        (
            .connectUnreachable, "no endpoint that was tried can be reached",
            "check addresses, routes and network policies between the gateway and its endpoints"
        ),
        (
            .backendReset, "the backend reset the connection",
            "look into the backend's log: it crashed, or refused what the client sent"
        ),
        (
            .clientReset, "the client reset the connection",
            "look at the client: it was ended, or gave up waiting"
        ),
        (
            .backendTLSError, "the TLS handshake with the backend failed",
            "compare the backend's certificate with caCertificateRefs and hostname of the BackendTLSPolicy; "
                + "close_detail says what failed"
        ),
        (
            .dnsError, "the backend's name has no address that may be used",
            "check the name, the resolver, and the backendGuard of the GatewayParameters"
        ),
        (
            .queueFull, "the backend has no room, and no more connections may wait for it",
            "add endpoints, or raise circuitBreaker.maxConnections or maxPendingConnections in the BackendPolicy"
        ),
        (
            .circuitOpen, "the backend has as many connections as its BackendPolicy allows",
            "add endpoints, or raise the limits of circuitBreaker in the BackendPolicy"
        ),
    ]
}
