internal import Primitives

/// ConfigMaps whose keys are ports and whose values are `NAMESPACE/SERVICE:PORT` with options: those of ingress-nginx,
/// of haproxy-ingress and of HAProxy Technologies' controller, which reads annotations as well.
enum PortMapReader: FormatReader {
    static func reasons(for object: SourceObject) -> Reasons {
        [
            "metadata.labels": "Labels of the ConfigMap are not carried over to the objects made of it.",
            "metadata.annotations": "No annotation of the ConfigMap has a meaning here.",
            "metadata.annotations.log-format-tcp":
                "Log lines have fields of their own, chosen by flags of sluice run: docs/access-log.md.",
            "data": "Not of the form NAMESPACE/SERVICE:PORT with a port as its key.",
            "immutable": "The objects made of the ConfigMap can be changed.",
        ]
    }

    static func entries(of objects: [SourceObject], in context: ConversionContext) -> [Entry] {
        objects.flatMap { object -> [Entry] in
            let annotations = (object.root.at("metadata", "annotations")?.entries ?? []).filter { Int($0.key) != nil }
            let fields = (object.root["data"]?.entries ?? []) + annotations
            if object.name.name.contains("udp") {
                for field in fields { field.field.drop("UDP is not served.") }
                object.ledger.fail("UDP is not served: keep these ports where they are.")
                return []
            }
            let ordered = fields.sorted { (Int($0.key) ?? 0, $0.key) < (Int($1.key) ?? 0, $1.key) }
            return ordered.compactMap { entry(for: $0.key, $0.field, of: object, context) }
        }
    }

    private static func entry(
        for key: String, _ field: SourceField, of object: SourceObject, _ context: ConversionContext
    ) -> Entry? {
        func refuse(_ why: String) -> Entry? {
            object.ledger.fail("\(field.path): left out. \(why)")
            field.leaveOut(why)
            return nil
        }
        guard let port = Int(key), (1...65535).contains(port) else { return refuse("\(printable(key)) is no port.") }
        let parts = (field.scalar ?? "").split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let service = PortMapReader.objectName(parts.first), parts.count >= 2 else {
            return refuse("It is not of the form NAMESPACE/SERVICE:PORT.")
        }
        guard let servicePort = context.port(parts[1], of: service) else {
            return refuse(
                "A backendRef needs the number of the port: convert the Service \(service) along with it, or write the"
                    + " number in place of \(printable(parts[1])).")
        }
        var entry = Entry(
            origin: object, field: field.path, gateway: Names.label(object.name.name), listener: "tcp-\(port)",
            port: port,
            mode: .plain, route: ObjectName(namespace: service.namespace, name: "\(service.name)-\(port)"))
        entry.targets = [Target(.service(service, port: servicePort))]
        let options = Array(parts.dropFirst(2))
        if let problem = apply(options, to: &entry, of: object) { return refuse(problem) }
        field.convert()
        return entry
    }

    static func objectName(_ text: String?) -> ObjectName? {
        guard let parts = text?.split(separator: "/", omittingEmptySubsequences: false), parts.count == 2,
            parts.allSatisfy({ HostnamePattern.isDNSName(String($0)) })
        else { return nil }
        return ObjectName(namespace: String(parts[0]), name: String(parts[1]))
    }

    /// Options after the port; a sentence where one cannot be obeyed.
    private static func apply(_ options: [String], to entry: inout Entry, of object: SourceObject) -> String? {
        var rest = options[...]
        if rest.first == "ssl" {
            rest.removeFirst()
            terminate(&entry, with: ObjectName(namespace: object.name.namespace, name: "\(object.name.name)-tls"))
            entry.comments.append(
                "The certificate was the controller's default one (ssl-certificate): put it in the Secret"
                    + " \(entry.certificates[0]).")
            return rest.allSatisfy(\.isEmpty) ? nil : "Nothing is known to follow ssl."
        }
        let decode = rest.popFirst() ?? ""
        let encode = rest.popFirst() ?? ""
        switch decode.lowercased() {
        case "": break
        case "proxy": entry.portSettings.proxy = .init()
        default: return "\(printable(decode)) is not PROXY."
        }
        // nginx writes version 1; haproxy-ingress writes 2 unless told otherwise.
        let isNginx = object.format == .ingressNginx
        switch encode.lowercased() {
        case "": break
        case "proxy": entry.backend.proxyVersion = isNginx ? "V1" : "V2"
        case "proxy-v1": entry.backend.proxyVersion = "V1"
        case "proxy-v2": entry.backend.proxyVersion = "V2"
        default: return "\(printable(encode)) is not PROXY, PROXY-V1 or PROXY-V2."
        }
        return applyTLS(rest, to: &entry, of: object)
    }

    /// haproxy-ingress: the certificate's Secret, the interval of checks, the Secret of client CAs.
    private static func applyTLS(_ options: ArraySlice<String>, to entry: inout Entry, of object: SourceObject)
        -> String?
    {
        var rest = options
        let secret = rest.popFirst() ?? ""
        let interval = rest.popFirst() ?? ""
        let authority = rest.popFirst() ?? ""
        if !secret.isEmpty {
            guard let name = objectName(secret) else { return "\(printable(secret)) is not NAMESPACE/SECRET." }
            terminate(&entry, with: name)
        }
        if !authority.isEmpty {
            guard let name = objectName(authority), !secret.isEmpty else {
                return "Client certificates need the Secret of a certificate and NAMESPACE/SECRET of an authority."
            }
            entry.portSettings.clientAuthorities = [AuthorityReference(name: name)]
            entry.gatewayComments.append(
                "A revocation list in the Secret \(name) (ca.crl) needs a ClientPolicy: tls.clientValidation.crlRefs.")
        }
        if !interval.isEmpty, interval != "-" {
            guard let duration = Durations.text(interval) else { return "\(printable(interval)) is no interval." }
            entry.backend.check = .init(interval: duration)
        }
        return rest.allSatisfy(\.isEmpty) ? nil : "More options than the seven that are known."
    }

    private static func terminate(_ entry: inout Entry, with secret: ObjectName) {
        entry.mode = .terminate
        entry.listener = "tls-\(entry.port)"
        entry.certificates = [secret]
    }
}
