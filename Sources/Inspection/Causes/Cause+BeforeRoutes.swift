internal import EngineModel

extension Cause {
    static let beforeRoutes: [Words] = [
        (
            .inspectionTimeout, "the client did not send a whole ClientHello, or its request for TLS, in time",
            "check that the client speaks TLS on this port and is not slow, or raise "
                + "timeout.tcp.connectionInspectionTimeout in a ClientPolicy"
        ),
        (
            .tlsHandshakeTimeout, "the TLS handshake with the client was not completed in time",
            "look at the client and the path to it, or raise timeout.tcp.tlsHandshakeTimeout in a ClientPolicy"
        ),
        (
            .tlsNoSNIMatch, "no listener or route has the server name that the client asked for",
            "compare the client's server name (SNI) with the hostnames of the listener and its routes"
        ),
        (
            .tlsError, "the TLS handshake with the client failed",
            "close_detail, and result of sluice_tls_handshakes_total, say what of"
        ),
        (
            .tlsTruncated, "a side ended its TLS connection without saying so",
            "look for a crash, or a device that cuts connections, on that side"
        ),
        (
            .clientHelloTooLarge, "the ClientHello is larger than can be taken",
            "look at what the client sends: no ordinary TLS library makes such a hello"
        ),
        (
            .notTLS, "the client does not speak TLS on a TLS listener",
            "let the client use TLS, or use a listener of protocol TCP; where a load balancer sends PROXY headers, "
                + "set proxyProtocol in a ClientPolicy"
        ),
        (
            .proxyProtocolMissing, "the connection came without the PROXY header that the listener requires",
            "turn the PROXY protocol on in the load balancer in front, or set proxyProtocol.mode of the ClientPolicy "
                + "to Optional"
        ),
        (
            .proxyProtocolMalformed, "the connection began with a PROXY header that cannot be read",
            "look at what the load balancer in front sends: version 1 or 2 of the PROXY protocol, once, before all "
                + "else"
        ),
        (
            .proxyProtocolTimeout, "the PROXY header did not arrive in time",
            "turn the PROXY protocol on in the load balancer in front, or raise proxyProtocol.headerTimeout in the "
                + "ClientPolicy"
        ),
        (
            .proxyProtocolUntrusted,
            "a peer whose PROXY headers are not believed connected to a listener that requires them",
            "add the load balancer's addresses to proxyProtocol.trustedCIDRs of the ClientPolicy, or keep others "
                + "from connecting past it"
        ),
        (
            .startTLSError, "the client did not ask for TLS as the listener's startTLS demands",
            "set sslmode=require or stricter in the PostgreSQL client, or startTLS.mode of the ClientPolicy to "
                + "Optional"
        ),
    ]
}
