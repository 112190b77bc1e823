internal import Primitives

/// Kong's TCPIngress, with the KongPlugins that it names.
enum KongReader: FormatReader {
    static func entries(of objects: [SourceObject], in context: ConversionContext) -> [Entry] {
        var plugins: [ObjectName: SourceObject] = [:]
        for object in objects where ["KongPlugin", "KongClusterPlugin"].contains(object.kind) {
            plugins[object.kind == "KongPlugin" ? object.name : ObjectName(namespace: "", name: object.name.name)] =
                object
        }
        var entries: [Entry] = []
        for object in objects {
            switch object.kind {
            case "TCPIngress": entries += KongIngress(object, plugins: plugins, context: context).entries
            case "KongPlugin", "KongClusterPlugin": break
            case "UDPIngress":
                object.ledger.fail("UDP is not served.")
                object.root["spec"]?.drop("UDP is not served: keep these ports where they are.")
            default: object.ledger.fail("\(object.kind) says nothing of TCP that could be converted.")
            }
        }
        return entries
    }

    static func reasons(for object: SourceObject) -> Reasons {
        var reasons: Reasons = [
            "metadata.labels": "Labels of this object have nowhere to go.",
            "metadata.annotations":
                "Annotations are Kong's or another tool's; write those again that still mean something.",
            "metadata": "Not carried over.",
        ]
        switch object.kind {
        case "TCPIngress":
            reasons["metadata.annotations[\"kubernetes.io/ingress.class\"]"] =
                "The Gateway's gatewayClassName says who serves it."
            reasons["metadata.annotations[\"konghq.com/tags\"]"] = "Tags of Kong's own objects."
        case "KongPlugin", "KongClusterPlugin":
            for field in [
                "config", "plugin", "configFrom", "disabled", "protocols", "ordering", "run_on", "instance_name",
            ] {
                reasons[field] = "Nothing was made of this plugin."
            }
        default: reasons["spec"] = "Not of TCP."
        }
        return reasons
    }
}

/// One TCPIngress.
private struct KongIngress {
    let object: SourceObject
    let plugins: [ObjectName: SourceObject]
    let context: ConversionContext
    private let annotations: SourceField?

    init(_ object: SourceObject, plugins: [ObjectName: SourceObject], context: ConversionContext) {
        (self.object, self.plugins, self.context) = (object, plugins, context)
        annotations = object.root.at("metadata", "annotations")
    }

    private func annotation(_ name: String) -> SourceField? { annotations?["konghq.com/\(name)"] }

    var entries: [Entry] {
        let passes = passesThrough
        let secrets = certificates
        var entries: [Entry] = []
        for rule in object.root.at("spec", "rules")?.items ?? [] {
            guard var entry = entry(of: rule, passes, secrets) else { continue }
            applyPlugins(to: &entry)
            entries.append(entry)
        }
        return entries
    }

    private var passesThrough: Bool {
        guard let protocols = annotation("protocols")?.take() else { return false }
        return protocols.split(separator: ",").contains { $0.filter { $0 != " " } == "tls_passthrough" }
    }

    /// Secrets by host name; an empty one for sections without hosts.
    private var certificates: [(hosts: [String], secret: ObjectName)] {
        (object.root.at("spec", "tls")?.items ?? []).compactMap { section in
            guard let name = section["secretName"]?.take() else { return nil }
            let hosts = section["hosts"]?.takeTexts() ?? []
            return (hosts.map { $0.lowercased() }, ObjectName(namespace: object.name.namespace, name: name))
        }
    }

    private func entry(
        of rule: SourceField, _ passes: Bool, _ secrets: [(hosts: [String], secret: ObjectName)]
    ) -> Entry? {
        func refuse(_ why: String) -> Entry? {
            object.ledger.fail("\(rule.path): left out. \(why)")
            rule.leaveOut(why)
            return nil
        }
        guard let port = rule["port"]?.integer, (1...65535).contains(port) else { return refuse("It has no port.") }
        let service = ObjectName(
            namespace: object.name.namespace, name: rule.at("backend", "serviceName")?.scalar ?? "")
        let written = rule.at("backend", "servicePort")?.scalar ?? ""
        guard HostnamePattern.isDNSName(service.name) else { return refuse("It names no Service.") }
        guard let number = context.port(written, of: service) else {
            return refuse(
                "A backendRef needs the number of the port: convert the Service \(service) along with it, or write the"
                    + " number in place of \(printable(written)).")
        }
        let host = rule["host"]?.scalar?.lowercased() ?? ""
        guard host.isEmpty || HostnamePattern(host) != nil else { return refuse("\(printable(host)) is no host name.") }
        var entry = Entry(
            origin: object, field: rule.path, gateway: "kong", listener: "tcp-\(port)", port: port, mode: .plain,
            route: object.name)
        entry.targets = [Target(.service(service, port: number))]
        if !host.isEmpty {
            entry.hostnames = [host]
            entry.listener = "tls-\(port)"
            entry.mode = passes ? .passthrough : .terminate
        }
        if entry.mode == .terminate { addCertificate(to: &entry, host, secrets) }
        rule["port"]?.convert()
        rule["host"]?.convert()
        rule["backend"].map { backend in for key in ["serviceName", "servicePort"] { backend[key]?.convert() } }
        return entry
    }

    private func addCertificate(
        to entry: inout Entry, _ host: String, _ secrets: [(hosts: [String], secret: ObjectName)]
    ) {
        let fitting = secrets.first { $0.hosts.contains(host) } ?? secrets.first { $0.hosts.isEmpty }
        if let fitting {
            entry.certificates = [fitting.secret]
        } else {
            let secret = ObjectName(namespace: object.name.namespace, name: Names.label("\(host)-tls"))
            entry.certificates = [secret]
            entry.comments.append("No Secret was named for \(host): put the certificate and key in \(secret).")
        }
    }

    /// Plugins may keep clients out: what is not understood closes the route.
    private func applyPlugins(to entry: inout Entry) {
        guard let list = annotation("plugins"), let text = list.take() else { return }
        for part in text.split(separator: ",") {
            let name = part.filter { $0 != " " }
            let local = plugins[ObjectName(namespace: object.name.namespace, name: name)]
            guard let plugin = local ?? plugins[ObjectName(namespace: "", name: name)] else {
                close(
                    &entry, "KongPlugin \(printable(name)) was not among what was converted, and may keep clients out.")
                continue
            }
            apply(plugin, to: &entry)
        }
    }

    private func apply(_ plugin: SourceObject, to entry: inout Entry) {
        if plugin.root["disabled"]?.takeBool() == true { return }
        let kind = plugin.root["plugin"]?.scalar ?? ""
        let config = plugin.root["config"]
        switch kind {
        case "ip-restriction":
            plugin.root["plugin"]?.convert()
            restrict(config, plugin, &entry)
        case "tcp-log", "http-log", "udp-log", "file-log", "syslog", "loggly", "statsd", "datadog", "prometheus",
            "zipkin",
            "opentelemetry", "kafka-log":
            plugin.root["plugin"]?.drop(
                "Connections are logged and counted by flags of sluice run: docs/access-log.md.")
        default: close(&entry, "the plugin \(printable(kind)) has no equivalent, and may keep clients out.")
        }
    }

    private func restrict(_ config: SourceField?, _ plugin: SourceObject, _ entry: inout Entry) {
        for (keys, isAllowed) in [(["allow", "whitelist"], true), (["deny", "blacklist"], false)] {
            for field in keys.compactMap({ config?[$0] }) where !field.items.isEmpty {
                guard let blocks = Blocks.parse(field.texts) else {
                    close(&entry, "\(field.path) of KongPlugin \(plugin.name) is no list of addresses and blocks.")
                    continue
                }
                field.convert()
                if isAllowed {
                    entry.client.allowed = entry.client.allowed.map { Blocks.intersection($0, blocks) } ?? blocks
                } else {
                    entry.client.denied += blocks
                }
            }
        }
        for key in ["message", "status"] { config?[key]?.drop("A refused connection gets a reset, and no answer.") }
        if entry.client.allowed == nil, entry.client.denied.isEmpty {
            close(&entry, "KongPlugin \(plugin.name) has no readable list.")
        }
    }

    private func close(_ entry: inout Entry, _ why: String) {
        entry.client.closed.append(why)
        object.ledger.fail("\(entry.field): closed, since \(why)")
    }
}
