internal import Primitives

/// A tunnel of version 2 (and, deprecated, of version 3).
struct NgrokTunnel {
    private let object: SourceObject
    private let tunnel: SourceField
    private let name: String
    private let context: ConversionContext

    init(_ object: SourceObject, _ tunnel: SourceField, name: String, _ context: ConversionContext) {
        (self.object, self.tunnel, self.name, self.context) = (object, tunnel, name, context)
    }

    var entry: Entry? {
        func refuse(_ why: String) -> Entry? {
            object.ledger.fail("\(tunnel.path): left out. \(why)")
            tunnel.leaveOut(why)
            return nil
        }
        let kind = tunnel["proto"]?.scalar ?? (tunnel["labels"] == nil ? "http" : "of an edge")
        guard kind == "tcp" || kind == "tls" else {
            return refuse("Its protocol is \(printable(kind)), not tcp or tls.")
        }
        guard let destination = NgrokAddress.destination(tunnel["addr"], name: Names.label(name)) else {
            return refuse("addr: \(printable(tunnel["addr"]?.scalar ?? "")) is no port and no address with one.")
        }
        if let place = tunnel["terminate_at"]?.scalar, !["edge", "agent", "upstream"].contains(place) {
            return refuse("terminate_at: \(printable(place)) is not edge, agent or upstream.")
        }
        let remote = tunnel["remote_addr"]?.scalar.flatMap { DestinationName.split($0) }
        guard let port = context.options.entryPoints[name] ?? remote?.port ?? (kind == "tls" ? 443 : nil) else {
            return refuse("ngrok chose its port: say one, --entry-point \(printable(name))=PORT.")
        }
        var entry = Entry(
            origin: object, field: tunnel.path, gateway: "ngrok", listener: "\(kind)-\(port)", port: port, mode: .plain,
            route: ObjectName(namespace: object.name.namespace, name: Names.label(name)))
        entry.targets = [Target(destination)]
        for key in ["proto", "addr", "remote_addr"] { tunnel[key]?.convert() }
        if kind == "tls" { addTLS(to: &entry) }
        addProxyProtocol(tunnel["proxy_proto"], to: &entry)
        NgrokLists.apply(tunnel["ip_restriction"], to: &entry)
        for key in ["traffic_policy", "policy"] { NgrokPolicy(tunnel[key]).apply(to: &entry) }
        return entry
    }

    private func addTLS(to entry: inout Entry) {
        for key in ["domain", "hostname"] {
            guard let field = tunnel[key], let text = field.scalar else { continue }
            guard HostnamePattern(text) != nil else {
                entry.client.closed.append("\(field.path): \(printable(text)) is no host name.")
                object.ledger.fail("\(field.path): \(printable(text)) is no host name.")
                continue
            }
            entry.hostnames.append(text.lowercased())
            field.convert()
        }
        let hasKey = tunnel["crt"] != nil || tunnel["key"] != nil
        let place = tunnel["terminate_at"]?.take() ?? (hasKey ? "agent" : "upstream")
        if place == "upstream", !hasKey {
            entry.mode = .passthrough
        } else {
            NgrokTLS.terminate(&entry, name: name)
            for key in ["crt", "key"] {
                tunnel[key]?.drop("The Secret \(entry.certificates[0]) takes the place of this file.")
            }
        }
        guard let authorities = tunnel["mutual_tls_cas"] else { return }
        if entry.mode == .passthrough {
            let why = "client certificates cannot be verified where TLS is passed through."
            entry.client.closed.append(why)
            object.ledger.fail("\(tunnel.path): closed, since \(why)")
            return authorities.drop("TLS is passed through: let the backend verify certificates.")
        }
        let secret = ObjectName(namespace: object.name.namespace, name: Names.label("\(name)-clients"))
        entry.portSettings.clientAuthorities = [AuthorityReference(name: secret)]
        entry.comments.append("Put the authorities of clients in the key ca.crt of the Secret \(secret).")
        authorities.drop("The Secret \(secret) takes the place of this file.")
    }
}

func addProxyProtocol(_ field: SourceField?, to entry: inout Entry) {
    guard let field, let text = field.scalar else { return }
    switch text {
    case "1", "2":
        entry.backend.proxyVersion = "V\(text)"
        field.convert()
    case "": field.convert()
    default:
        entry.origin.ledger.fail("\(field.path): \(printable(text)) is no version of the PROXY protocol.")
        field.drop("The versions are 1 and 2.")
    }
}

enum NgrokTLS {
    static func terminate(_ entry: inout Entry, name: String) {
        entry.mode = .terminate
        let secret = ObjectName(namespace: entry.route.namespace, name: Names.label("\(name)-tls"))
        entry.certificates = [secret]
        entry.comments.append("Put the certificate and key in the Secret \(secret).")
    }
}

enum NgrokAddress {
    /// `8080`, `db.internal:5432`, `tcp://10.0.0.1:5432`.
    static func destination(_ field: SourceField?, name: String) -> Target.Destination? {
        guard let text = field?.scalar else { return nil }
        if let port = Int(text) { return DestinationName.target("127.0.0.1", port: port, name: name) }
        var rest = text[...]
        for scheme in ["tcp://", "tls://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        guard let place = DestinationName.split(String(rest)), let port = place.port else { return nil }
        return DestinationName.target(place.host, port: port, name: name)
    }
}

/// Lists of blocks; what cannot be read closes the route.
enum NgrokLists {
    static func apply(_ field: SourceField?, to entry: inout Entry) {
        guard let field else { return }
        for (keys, isAllowed) in [(["allow_cidrs", "allow"], true), (["deny_cidrs", "deny"], false)] {
            for list in keys.compactMap({ field[$0] }) {
                guard let blocks = Blocks.parse(list.texts) else {
                    let why = "\(list.path) is no list of addresses and blocks."
                    entry.client.closed.append(why)
                    entry.origin.ledger.fail("\(entry.field): closed. \(why)")
                    continue
                }
                list.convert()
                if isAllowed {
                    entry.client.allowed = entry.client.allowed.map { Blocks.intersection($0, blocks) } ?? blocks
                } else {
                    entry.client.denied += blocks
                }
            }
        }
    }
}
