internal import Platform
internal import TestSupport
internal import Testing

/// A folder of examples/broken, and what is wrong with it.
struct BrokenSetup: Sendable, CustomTestStringConvertible {
    var name: String
    /// What connections are refused with; of ``unbound`` ones, what is said of the listener, if that has a name.
    var cause: String
    /// What the listener's client does.
    var client = Client.plain
    var isTLS = false
    /// Whether manifests alone decide it.
    var isDecided = true
    /// What is said of it; nil: the words of the cause's table.
    var words: String?
    var testDescription: String { name }
    var route: String { "\(isTLS ? "TLSRoute" : "TCPRoute") infra/redis" }

    enum Client { case plain, speaking, tls }

    /// Those that refuse connections.
    static let refusing = [
        BrokenSetup(name: "wrong-port", cause: "invalid_backend"),
        BrokenSetup(name: "missing-grant", cause: "invalid_backend"),
        BrokenSetup(name: "no-endpoints", cause: "no_endpoints"),
        BrokenSetup(name: "expired-certificate", cause: "tls_error", client: .tls),
        BrokenSetup(name: "hostname-mismatch", cause: "tls_no_sni_match", client: .tls, isTLS: true),
        BrokenSetup(name: "health-check", cause: "no_healthy_endpoint", isDecided: false),
        BrokenSetup(name: "denied-by-cidr", cause: "authz_denied", isDecided: false),
        BrokenSetup(name: "policy-conflict", cause: "authz_denied", isDecided: false),
        BrokenSetup(name: "proxy-header-missing", cause: "proxy_protocol_missing", client: .speaking, isDecided: false),
        BrokenSetup(name: "backend-tls-untrusted", cause: "backend_tls_error", isDecided: false),
    ]

    /// Those where nothing listens.
    static let unbound = [
        BrokenSetup(name: "class-not-ours", cause: "", words: "ignored: GatewayClass other is not ours"),
        BrokenSetup(
            name: "listener-conflict", cause: "ProtocolConflict",
            words: "is wanted with another protocol by listener other (TLS)"),
    ]
}

extension Process {
    /// A ``BrokenSetup`` with certificates, ports that are free, and a backend.
    struct BrokenScene {
        let port: UInt16
        let text: String
        private let setup: BrokenSetup
        private let folder: TemporaryDirectory
        private let backend: EchoBackend

        init(_ setup: BrokenSetup) throws {
            self.setup = setup
            let stranger = try TestPKI.makeCA("Stranger").issue(dnsNames: ["redis.example.com"])
            // The name is what the second step of the health check looks for.
            backend = try EchoBackend("*", certificate: setup.name == "backend-tls-untrusted" ? stranger : nil)
            folder = try TemporaryDirectory()
            port = try Ports.free()
            _ = try run(["cp", "-r", "\(Installation.root)/examples/broken/.", folder.path]).checked()
            _ = try run(["\(folder.path)/certificates"]).checked()
            let ports: [UInt16: UInt16] = [6380: port, 6390: backend.port]
            text = try Example(setup.name, in: "\(folder.path)/\(setup.name)", ports: ports).text
        }

        /// A client that is turned away; one of a port where nothing listens is so by the kernel.
        func refuse() throws {
            if setup.words != nil {
                #expect(throws: Errno.connectionRefused) { try PlainClient(port: port) }
                return
            }
            switch setup.client {
            case .plain: try expectReset(port: port)
            case .speaking:
                let client = try PlainClient(port: port)
                // As Redis clients do: "PING" would begin as a header does.
                try client.send("*1\r\n$4\r\nPING\r\n")
                #expect(try client.waitForEnd() == .reset)
            case .tls:
                let authority = folder.path + "/backend-tls-untrusted/pem/expired.crt"
                let answer = try SClient(
                    port: port, waitingFor: "alert",
                    ["-servername", "redis.example.com", "-verify_return_error", "-CAfile", authority])
                #expect(!answer.output.contains("\"backend\""))
            }
        }
    }
}
