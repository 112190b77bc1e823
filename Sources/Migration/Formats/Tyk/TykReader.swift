internal import Primitives

/// Tyk's API definitions of protocol tcp and tls: JSON of the gateway and of the dashboard, and the operator's ApiDefinition.
enum TykReader: FormatReader {
    static func entries(of objects: [SourceObject], in context: ConversionContext) -> [Entry] {
        objects.compactMap { object in
            let root = object.root["api_definition"] ?? (object.apiVersion.isEmpty ? object.root : object.root["spec"])
            return root.flatMap { TykAPI(object, $0, context).entry }
        }
    }

    static func reasons(for object: SourceObject) -> Reasons {
        let prefix = object.root["api_definition"] != nil ? "api_definition." : object.apiVersion.isEmpty ? "" : "spec."
        var reasons: Reasons = [
            "metadata.annotations":
                "Annotations are Tyk's or another tool's; write those again that still mean something.",
            "metadata.labels": "Labels of this object have nowhere to go.", "metadata": "Not carried over.",
        ]
        for (field, reason) in fields { reasons[prefix + field] = reason }
        reasons["*"] = reasons["*"] ?? "It has no meaning for a stream of bytes, or belongs to Tyk's dashboard."
        if !prefix.isEmpty {
            reasons[prefix + "*"] = "It has no meaning for a stream of bytes, or belongs to Tyk's own objects."
        }
        return reasons
    }

    private static let fields: [String: String] = [
        "use_keyless": "Nobody is asked for a key here; say who may connect by authorization of a ClientPolicy.",
        "proxy.listen_path": "A stream has no path.", "proxy.strip_listen_path": "A stream has no path.",
        "proxy.preserve_host_header": "A stream has no headers.",
        "proxy.service_discovery": "Endpoints come from Services, DNS or SRV records (Backend: fqdn.srv).",
        "proxy.check_host_against_uptime_tests": "Endpoints are checked by healthCheck of a BackendPolicy.",
        "proxy.transport.proxy_url": "Backends are reached directly.",
        "proxy.transport.ssl_force_common_name_check": "The names of a backend are those of its certificate's SAN.",
        "uptime_tests": "Endpoints are checked by healthCheck of a BackendPolicy.",
        "certificate_pinning_disabled": "Keys are pinned by a BackendPolicy: tls.spkiHashes.",
        "pinned_public_keys": "Keys are pinned by a BackendPolicy: tls.spkiHashes, the hashes of these keys.",
        "pinned_public_keys_refs": "Keys are pinned by a BackendPolicy: tls.spkiHashes, the hashes of these keys.",
        "do_not_track": "Connections are logged by flags of sluice run: docs/access-log.md.",
        "config_data": "It has no meaning here.",
        "tags": "Tags of Tyk's own gateways: write other Gateways for others.",
        "tags_disabled": "Tags of Tyk's own gateways.", "name": "The route's name was made of it.",
    ]
}
