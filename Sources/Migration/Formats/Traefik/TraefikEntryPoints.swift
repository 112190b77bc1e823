internal import Primitives

/// Where entry points listen: `--entry-point` of the command line first, then `entryPoints` of a static configuration, then
/// the two that Traefik's chart serves on 80 and 443.
struct TraefikEntryPoints {
    struct Point {
        var port: Int
        var address: String?
        var settings = PortSettings()
        /// What to say as converted once a route uses it.
        var fields: [SourceField] = []
    }

    private(set) var points: [String: Point] = [:]
    /// Those that were given, which routes without entry points use.
    private(set) var given: [String] = []
    /// Why a point that is configured cannot be used.
    private(set) var problems: [String: String] = [:]

    init(_ objects: [SourceObject], context: ConversionContext) {
        points["web"] = Point(port: 80)
        points["websecure"] = Point(port: 443)
        for object in objects where object.kind == "Traefik configuration" {
            for (name, field) in (object.root["entryPoints"] ?? object.root["entrypoints"])?.entries ?? [] {
                read(name, field, of: object)
            }
        }
        for (name, port) in context.options.entryPoints {
            points[name, default: Point(port: port)].port = port
            problems[name] = nil
            if !given.contains(name) { given.append(name) }
        }
        given.sort()
    }

    private mutating func read(_ name: String, _ field: SourceField, of object: SourceObject) {
        guard let address = field["address"], let text = address.scalar else { return }
        let parts = text.split(separator: "/")
        if parts.count == 2, parts[1] == "udp" {
            field.drop("UDP is not served.")
            return
        }
        guard let place = DestinationName.split(String(parts.first ?? "")), let port = place.port,
            (1...65535).contains(port), parts.count == 1 || (parts.count == 2 && parts[1] == "tcp")
        else {
            problems[name] = "\(printable(text)) is no address of an entry point."
            points[name] = nil
            return object.ledger.fail("\(address.path): \(printable(text)) is no address of an entry point.")
        }
        let isAny = place.host.isEmpty || place.host == "0.0.0.0" || place.host == "::"
        var point = Point(port: port, address: isAny ? nil : place.host, fields: [address])
        if !isAny, !DestinationName.isAddress(place.host) {
            problems[name] = "It listens on the name \(printable(place.host)); a Gateway listens on addresses."
        }
        readProxy(field, &point)
        points[name] = point
        if !given.contains(name) { given.append(name) }
    }

    private func readProxy(_ field: SourceField, _ point: inout Point) {
        guard let proxy = field["proxyProtocol"] else { return }
        if let insecure = proxy["insecure"], insecure.bool == true {
            // Traefik takes a connection without a header as it is, from anyone.
            point.settings.proxy = .init()
            point.fields.append(insecure)
        }
        if let trusted = proxy["trustedIPs"] {
            let blocks = Blocks.parse(trusted.texts) ?? []
            if point.settings.proxy == nil, !blocks.isEmpty {
                point.settings.proxy = .init(optional: true, trusted: blocks)
                point.fields.append(trusted)
            }
        }
    }
}
