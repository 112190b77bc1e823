/// Gravitee's TCP proxy APIs: exports of version 4, and the operator's ApiV4Definition.
enum GraviteeReader: FormatReader {
    static func entries(of objects: [SourceObject], in context: ConversionContext) -> [Entry] {
        objects.flatMap { object -> [Entry] in
            let root = object.root["api"] ?? (object.apiVersion.isEmpty ? object.root : object.root["spec"])
            return root.map { GraviteeAPI(object, $0, context).entries } ?? []
        }
    }

    static func reasons(for object: SourceObject) -> Reasons {
        let prefix = object.root["api"] != nil ? "api." : object.apiVersion.isEmpty ? "" : "spec."
        var reasons: Reasons = [
            "metadata.annotations": "Annotations of this object have nowhere to go.",
            "metadata.labels": "Labels of this object have nowhere to go.", "metadata": "Not carried over.",
            "*": "It belongs to Gravitee's console or portal.",
        ]
        reasons[prefix + "*"] = "It belongs to Gravitee's console or portal."
        for (field, reason) in fields { reasons[prefix + field] = reason }
        return reasons
    }

    private static let fields: [String: String] = [
        "failover": "Another endpoint is tried where one cannot be connected to: retry.numRetries of a BackendPolicy.",
        "analytics": "Connections are logged and counted by flags of sluice run: docs/access-log.md.",
        "services": "Properties do not change while the gateway runs.",
        "properties": "Nothing in a stream of bytes refers to properties.",
        "resources": "Nothing in a stream of bytes refers to resources.",
        "responseTemplates": "A stream has no responses.", "flowExecution": "There are no flows.",
        "listeners": "Nothing was made of this listener.",
        "listeners.servers": "Gateways say where they listen; all of Gravitee's servers were taken for one.",
        "listeners.entrypoints": "The listener is of a Gateway, which has no entry points.",
        "listeners.cors": "HTTP.", "endpointGroups": "Nothing was made of this group.",
        "endpointGroups.name": "Groups have no names of their own here.",
        "endpointGroups.http": "HTTP.", "endpointGroups.headers": "A stream has no headers.",
        "endpointGroups.services":
            "Endpoints are checked by healthCheck of a BackendPolicy, and found by Services or DNS.",
        "endpointGroups.endpoints.services": "Endpoints are checked by healthCheck of a BackendPolicy.",
        "endpointGroups.endpoints.tenants": "There are no tenants: write other routes for other Gateways.",
        "endpointGroups.endpoints.name": "Only a Backend of its own carries the endpoint's name.",
        "endpointGroups.sharedConfiguration": "This setting of the client has no equivalent.",
        "endpointGroups.sharedConfiguration.proxy": "Backends are reached directly.",
        "endpointGroups.sharedConfiguration.tcp.reconnectInterval":
            "The pause before a retry doubles from retry.perRetry.backOff.baseInterval of a BackendPolicy.",
        "endpointGroups.sharedConfiguration.ssl":
            "How backends are verified is said in a BackendTLSPolicy, with authorities in PEM.",
    ]
}
