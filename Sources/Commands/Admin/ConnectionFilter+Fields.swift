internal import EngineModel
internal import Primitives

extension ConnectionFilter {
    /// Every field, in the order of the documentation.
    static let fields: [Field] =
        [
            Field("id", "ID", "The connection of this number.", allowed: "the number of a connection") {
                UInt64($0)
            } fits: {
                $0.id == $1
            },
            Field("state", "STATE", "Those that stand there: \(states).", allowed: states) {
                ConnectionInfo.State(rawValue: $0)
            } fits: {
                $0.state == $1
            },
        ] + places + peers + handshake + amounts

    private static let states = ConnectionInfo.State.allCases.map(\.rawValue).joined(separator: ", ")

    private static let places = [
        object("listener", "GATEWAY_NAMESPACE/GATEWAY/LISTENER", "Those of a listener.") { info in
            info.listener.map { ["\($0)"] }
        },
        object("gateway", "NAMESPACE/NAME", "Those of a Gateway.") { info in
            info.listener.map { ["\($0.gatewayNamespace)/\($0.gateway)"] }
        },
        Field("port", "PORT", "Those that dialled this port.", allowed: "1 to 65535") { text in
            UInt16(text).flatMap { $0 > 0 ? $0 : nil }
        } fits: {
            $0.port == $1
        },
        object("route", "[KIND ]NAMESPACE/NAME", "Those of a route.") { info in
            info.route.map { ["\($0.namespace)/\($0.name)", "\($0)"] }
        },
        object("backend", "[KIND ]NAMESPACE/NAME[:PORT]", "Those that a backend was chosen for.") { info in
            info.backend.map { id in
                let name = "\(id.namespace)/\(id.name)"
                return [name, "\(name):\(id.port)", "\(id.kind) \(name)", "\(id)"]
            }
        },
        object("endpoint", "ADDRESS[:PORT]", "Those to an endpoint.") { info in
            info.endpoint.map { text in [text] + (SocketAddress(text).map { ["\($0.ip)"] } ?? []) }
        },
    ]

    private static let peers = [
        address("client", "Those of a client, or of clients in a block of addresses.") { $0.client },
        address("peer", "The same of the other end of the accepted connection, such as a balancer.") { $0.peer },
        object("proxyUniqueID", "TEXT", "Those that a PROXY header named so.") { $0.proxyUniqueID.map { [$0] } },
        object("proxyProtocolVersion", "1|2", "Those with a PROXY header of this version.") {
            $0.proxyProtocolVersion.map { ["\($0)"] }
        },
    ]

    private static let handshake = [
        Field(
            "sni", "NAME", "Those that asked for a server name; *.example.com: for one that ends so.",
            allowed: "a server name, * and the end of one, or - for none"
        ) {
            NameTest($0)
        } fits: {
            $1.fits($0.serverName)
        },
        object("tlsVersion", "VERSION", "Those that speak a version, such as TLSv1.3.") { $0.tlsVersion.map { [$0] } },
        object("tlsCipher", "CIPHER", "Those that use a cipher.") { $0.tlsCipher.map { [$0] } },
        object("alpn", "PROTOCOL", "Those that negotiated a protocol.") { $0.alpn.map { [$0] } },
    ]

    private static let amounts = [
        duration("minAge", "Those accepted so long ago or longer.") { $0.age >= $1 },
        duration("maxAge", "Those accepted so long ago or later.") { $0.age <= $1 },
        duration("idle", "Those without a byte for so long or longer.") { $0.idle >= $1 },
        duration("maxIdle", "Those with a byte within so long.") { $0.idle <= $1 },
        size("minBytes", "Those that moved as many bytes, both ways together.") { $0.requestBytes &+ $0.responseBytes },
        size("minRequestBytes", "Those that sent as many bytes.") { $0.requestBytes },
        size("minResponseBytes", "Those that were sent as many bytes.") { $0.responseBytes },
        Field("minAttempts", "N", "Those for which as many endpoints were dialled.", allowed: "a number from 0") {
            text in
            Int(text).flatMap { $0 >= 0 ? $0 : nil }
        } fits: {
            $0.attempts >= $1
        },
    ]

    /// A text that is one of the names of something, or `-` where there is nothing.
    private static func object(
        _ name: String, _ placeholder: String, _ help: String, names: @escaping @Sendable (ConnectionInfo) -> [String]?
    ) -> Field {
        Field(name, placeholder, help, allowed: "\(placeholder), or - for none") { text in
            text.isEmpty ? nil : text
        } fits: { info, text in
            guard let names = names(info) else { return text == "-" }
            return names.contains(text)
        }
    }

    /// An address, with a port or without, or a block of addresses.
    private static func address(
        _ name: String, _ help: String, of end: @escaping @Sendable (ConnectionInfo) -> SocketAddress
    ) -> Field {
        Field(
            name, "ADDRESS|CIDR", help,
            allowed: "an address such as 10.0.0.7, one with a port, or a block such as 10.0.0.0/8"
        ) { text in
            AddressTest(text)
        } fits: { info, test in
            test.fits(end(info))
        }
    }

    private static func duration(
        _ name: String, _ help: String, fits: @escaping @Sendable (ConnectionInfo, Duration) -> Bool
    ) -> Field {
        Field(
            name, "DURATION", help, allowed: "a duration such as 500ms, 30s or 1h30m", value: { parseDuration($0) },
            fits: fits)
    }

    private static func size(
        _ name: String, _ help: String, of amount: @escaping @Sendable (ConnectionInfo) -> UInt64
    ) -> Field {
        Field(name, "SIZE", help, allowed: "bytes such as 4096, 64Ki or 1Gi") { text in
            parseSize(text)
        } fits: { info, least in
            amount(info) >= UInt64(clamping: least)
        }
    }
}

/// What a server name has to be.
private enum NameTest: Sendable {
    case absent
    /// In lower case.
    case name(String)
    case ending(String)

    init?(_ text: String) {
        let lowered = text.lowercased()
        if text == "-" {
            self = .absent
        } else if lowered.first == "*" {
            let ending = String(lowered.dropFirst())
            guard !ending.isEmpty, !ending.contains("*") else { return nil }
            self = .ending(ending)
        } else {
            guard !lowered.isEmpty, !lowered.contains("*") else { return nil }
            self = .name(lowered)
        }
    }

    func fits(_ name: String?) -> Bool {
        switch self {
        case .absent: name == nil
        case .name(let wanted): name?.lowercased() == wanted
        case .ending(let ending): name?.lowercased().hasSuffix(ending) ?? false
        }
    }
}

/// What an address has to be.
private enum AddressTest: Sendable {
    case socket(SocketAddress)
    case block(CIDR)
    case address(IPAddress)

    init?(_ text: String) {
        if let socket = SocketAddress(text) {
            self = .socket(socket)
        } else if let block = CIDR(text) {
            self = .block(block)
        } else if let address = IPAddress(text) {
            self = .address(address.unmapped)
        } else {
            return nil
        }
    }

    func fits(_ end: SocketAddress) -> Bool {
        switch self {
        case .socket(let wanted): end == wanted
        case .block(let block): block.contains(end.ip)
        case .address(let address): end.ip.unmapped == address
        }
    }
}
