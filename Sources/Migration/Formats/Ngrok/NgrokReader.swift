/// Configurations of ngrok's agent: version 2 with tunnels, version 3 with endpoints.
enum NgrokReader: FormatReader {
    static func entries(of objects: [SourceObject], in context: ConversionContext) -> [Entry] {
        objects.flatMap { object -> [Entry] in
            object.root["version"]?.convert()
            let tunnels = object.root["tunnels"]?.entries ?? []
            let endpoints = object.root["endpoints"]?.items ?? []
            return tunnels.compactMap { NgrokTunnel(object, $0.field, name: $0.key, context).entry }
                + endpoints.compactMap { NgrokEndpoint(object, $0, context).entry }
        }
    }

    static func reasons(for object: SourceObject) -> Reasons {
        [
            "agent": "It is of the agent, which is no longer needed: clients reach the gateway itself.",
            "*": "It is of the agent, which is no longer needed: clients reach the gateway itself.",
            "tunnels": "Nothing was made of it.", "endpoints": "Nothing was made of it.",
            "tunnels.*.metadata": "Put it in metadata.annotations of the route.",
            "tunnels.*.inspect": "Streams are not inspected.",
            "tunnels.*.subdomain": "The host name must be one of yours: write it in hostnames of the route.",
            "tunnels.*.labels": "Edges of ngrok have no equivalent.",
            "endpoints.metadata": "Put it in metadata.annotations of the route.",
            "endpoints.description": "Put it in metadata.annotations of the route.",
            "endpoints.bindings": "Who can reach the gateway is a matter of its addresses and of ClientPolicies.",
            "endpoints.pooling_enabled": "Write more endpoints into the Backend.",
            "endpoints.upstream.protocol": "A stream has no protocol above TCP.",
            "endpoints.agent_tls_termination": "TLS is ended by the gateway.",
        ]
    }
}
