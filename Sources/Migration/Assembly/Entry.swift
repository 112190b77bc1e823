internal import Primitives

/// What a source wants served: one port, one choice of host names, one list of targets.
struct Entry {
    enum Mode: Hashable {
        /// TCP without a look at its content.
        case plain
        /// TLS routed by SNI and relayed as it is.
        case passthrough
        /// TLS ended by the gateway.
        case terminate
    }

    let origin: SourceObject
    /// The field that the entry is made of, for messages.
    let field: String
    /// The Gateway that is wanted.
    var gateway: String
    /// The only address to listen on; nil for all.
    var address: String?
    /// What the listener is called where one serves the port; more get a suffix.
    var listener: String
    var port: Int
    var mode: Mode
    /// Names asked for by SNI; empty for any.
    var hostnames: [String] = []
    /// Secrets with the certificate.
    var certificates: [ObjectName] = []
    var route: ObjectName
    var labels: [(String, String)] = []
    var targets: [Target] = []
    var portSettings = PortSettings()
    var client = ClientSettings()
    var backend = BackendSettings()
    /// Lines above the route.
    var comments: [String] = []
    /// Lines above the Gateway.
    var gatewayComments: [String] = []
}

extension Entry {
    /// With the labels of the object that it was made of, where that is an object of Kubernetes for routes.
    func labelled() -> Entry {
        guard !origin.apiVersion.isEmpty, origin.kind != "ConfigMap" else { return self }
        var entry = self
        entry.labels = (origin.root.at("metadata", "labels")?.entries ?? []).compactMap { label in
            label.field.take().map { (label.key, $0) }
        }
        return entry
    }
}

/// Where connections go.
struct Target {
    enum Destination: Hashable {
        case service(ObjectName, port: Int)
        /// A Backend that is written beside the route.
        case endpoints(name: String, [Endpoint], fallback: Bool)
    }

    var destination: Destination
    var weight: Int?
    /// TLS towards the target; nil for none.
    var tls: UpstreamTLS?

    init(_ destination: Destination, weight: Int? = nil, tls: UpstreamTLS? = nil) {
        (self.destination, self.weight, self.tls) = (destination, weight, tls)
    }
}

struct Endpoint: Hashable {
    /// An IP address or a DNS name.
    var host: String
    var port: Int
    var weight: Int?
}

/// A Secret or ConfigMap with CA certificates.
struct AuthorityReference: Hashable {
    var isConfigMap = false
    var name: ObjectName
}

struct UpstreamTLS: Hashable {
    var hostname: String
    /// Empty for the host's own.
    var authorities: [AuthorityReference] = []
    /// Type (`Hostname` or `URI`) and value.
    var alternativeNames: [AlternativeName] = []
    var clientCertificate: ObjectName?
    var comments: [String] = []

    struct AlternativeName: Hashable {
        var isURI: Bool
        var value: String
    }
}

/// What acts before a route is chosen, by port or listener.
struct PortSettings: Hashable {
    struct Proxy: Hashable {
        var optional = false
        var trusted: [String] = []
    }

    struct TLS: Hashable {
        var minVersion: String?
        var maxVersion: String?
        var ciphers: [String] = []
        var curves: [String] = []
        var alpn: [String] = []
        var withoutTickets = false
    }

    var proxy: Proxy?
    var tls = TLS()
    var keepalive: Keepalive?
    /// For the ClientHello.
    var inspectionTimeout: String?
    /// Open connections of the listener; more wait.
    var connections: Int?
    /// Demanded of clients: a certificate of one of these.
    var clientAuthorities: [AuthorityReference] = []
}

struct Keepalive: Hashable {
    var disabled = false
    var idle: String?
    var interval: String?
}

/// What holds for the connections of one route.
struct ClientSettings: Hashable {
    /// Blocks that alone are let in; nil for all. Empty: nobody.
    var allowed: [String]?
    var denied: [String] = []
    var perSource: Int?
    var idleTimeout: String?
    var clientIdleTimeout: String?
    var serverIdleTimeout: String?
    var halfCloseTimeout: String?
    /// Why nobody is let in, although the source might have let somebody in.
    var closed: [String] = []
}

struct BackendSettings: Hashable {
    /// `V1` or `V2`.
    var proxyVersion: String?
    var loadBalancer: String?
    var connectTimeout: String?
    var keepalive: Keepalive?
    var retries: Int?
    var check: Check?
    var minVersion: String?
    var ciphers: [String] = []

    struct Check: Hashable {
        var interval: String?
        var timeout: String?
        var healthy: Int?
        var unhealthy: Int?
        var port: Int?
    }
}
