internal import Primitives

/// Traefik's IngressRouteTCP with what it refers to, and entry points of its static configuration.
enum TraefikReader: FormatReader {
    static func entries(of objects: [SourceObject], in context: ConversionContext) -> [Entry] {
        let points = TraefikEntryPoints(objects, context: context)
        let scene = TraefikScene(objects: objects, entryPoints: points, context: context)
        var entries: [Entry] = []
        for object in objects where object.kind == "IngressRouteTCP" { entries += scene.entries(of: object) }
        for object in objects where TraefikReader.unserved.contains(object.kind) {
            object.ledger.fail("\(object.kind) is of HTTP or UDP, which are not served.")
        }
        return entries
    }

    private static let unserved: Set<String> = [
        "IngressRoute", "IngressRouteUDP", "Middleware", "TraefikService", "ServersTransport",
    ]

    static func reasons(for object: SourceObject) -> Reasons {
        switch object.kind {
        case "IngressRouteTCP": routeReasons.merging(metadata) { first, _ in first }
        case "MiddlewareTCP":
            metadata.merging(["spec": "No IngressRouteTCP that was converted uses this MiddlewareTCP."]) { first, _ in
                first
            }
        case "TLSOption": optionReasons.merging(metadata) { first, _ in first }
        case "ServersTransportTCP": transportReasons.merging(metadata) { first, _ in first }
        case "Traefik configuration": staticReasons
        case "TLSStore":
            metadata.merging([
                "spec":
                    "Certificates belong to listeners: put them in spec.listeners[].tls.certificateRefs of the Gateway."
            ]) { first, _ in first }
        default: metadata.merging(["spec": "Not TCP."]) { first, _ in first }
        }
    }

    private static let metadata: Reasons = [
        "metadata.annotations":
            "Annotations are Traefik's or another tool's; write those again that still mean something.",
        "metadata.labels": "Labels of this object have nowhere to go.",
        "metadata": "Not carried over.",
    ]

    private static let routeReasons: Reasons = [
        "spec.ingressClassName": "The Gateway's gatewayClassName says who serves it.",
        "spec.routes.priority":
            "Host names decide: an exact one goes before a wildcard, a longer wildcard before a shorter one.",
        "spec.routes.syntax": "Both syntaxes are read.",
        "spec.routes.services.nativeLB":
            "Connections go to the endpoints of the Service, chosen by the gateway, never to its cluster IP.",
        "spec.routes.services.nodePortLB":
            "Connections go to the endpoints of the Service; nodes are reached by a Backend that lists them.",
        "spec.tls.store": "Certificates belong to listeners: spec.listeners[].tls.certificateRefs of the Gateway.",
        "spec.tls.certResolver":
            "Certificates are not issued here: let cert-manager write the Secret of the listener's certificateRefs.",
        "spec.tls.domains":
            "Certificates are not issued here: let cert-manager issue one for these names, into the listener's Secret.",
    ]

    private static let optionReasons: Reasons = [
        "spec.preferServerCipherSuites": "The order of tls.ciphers in the ClientPolicy counts.",
        "spec.sniStrict":
            "A name that no route takes is refused anyhow, and the listener's first certificate is not shown"
            + " to it.",
        "spec": "No IngressRouteTCP that was converted uses this TLSOption.",
    ]

    private static let transportReasons: Reasons = [
        "spec": "No IngressRouteTCP that was converted uses this ServersTransportTCP.",
        "spec.tls": "No target is reached by TLS with this ServersTransportTCP.",
    ]

    private static let staticReasons: Reasons = [
        "entryPoints.*.address": "No route that was converted uses this entry point.",
        "entryPoints.*.http": "HTTP is not served.",
        "entryPoints.*.http2": "HTTP is not served.",
        "entryPoints.*.http3": "HTTP is not served.",
        "entryPoints.*.forwardedHeaders": "HTTP is not served.",
        "entryPoints.*.udp": "UDP is not served.",
        "entryPoints.*.proxyProtocol": "No route that was converted uses this entry point.",
        "entryPoints.*.transport.lifeCycle": "Draining is set in GatewayParameters: routeDrainTimeout.",
        "entryPoints.*.transport": "Timeouts of TCP are those of a ClientPolicy: timeout.tcp.",
        "entryPoints.*.reusePort": "Listeners are always shared by all workers.",
        "entryPoints.*.allowACMEByPass": "Certificates are not issued here.",
        "entryPoints.*.asDefault": "Routes name their listeners.",
        "entryPoints.*.observability": "Metrics and the access log cover all listeners: docs/access-log.md.",
        "*": "Traefik's own configuration, of which only entry points are converted.",
    ]
}
