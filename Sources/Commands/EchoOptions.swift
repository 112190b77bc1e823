/// What `sluice echo` was asked to do.
public struct EchoOptions: Sendable, Hashable {
    /// 0: the kernel chooses, and the choice is printed.
    public var port: UInt16
    /// Both or neither: PEM files.
    public var certificate: String?
    public var key: String?
    public var name: String
}

enum EchoFlags {
    // Not SLUICE_ECHO_PORT: Kubernetes sets that one in every pod beside a Service called sluice-echo.
    static let port = Flag<Int>.integer(
        "port", in: 0...65535, help: "Port on every local address; 0 takes a free one and prints it.", default: 0,
        isRequired: true, environment: "SLUICE_ECHO_LISTEN_PORT")
    static let certificate = Flag<String?>.optionalText(
        "tls-cert", "FILE", help: "Serve TLS with this certificate chain (PEM).", environment: "SLUICE_ECHO_TLS_CERT")
    static let key = Flag<String?>.optionalText(
        "tls-key", "FILE", help: "The private key of --tls-cert (PEM).", environment: "SLUICE_ECHO_TLS_KEY")
    static let name = Flag<String>.text(
        "name", "NAME", help: "What it calls itself in its first line.", default: "echo",
        environment: "SLUICE_ECHO_NAME")
}

extension CommandDescription {
    static let echo = CommandDescription(
        name: "echo", summary: "Run a test backend that says who it is and echoes",
        details: """
            Accepts connections, writes one JSON line that says which backend it is, the client address it saw, and SNI and
            ALPN where TLS is served, and then sends back whatever it receives.
            """,
        examples: [
            ("plain TCP", "sluice echo --port 9101 --name blue"),
            ("TLS", "sluice echo --port 9102 --tls-cert tls.crt --tls-key tls.key"),
        ],
        flags: [
            EchoFlags.port.description, EchoFlags.certificate.description, EchoFlags.key.description,
            EchoFlags.name.description,
        ])
}

extension EchoOptions {
    init(_ arguments: ParsedArguments) throws(UsageError) {
        port = UInt16(clamping: arguments.value(EchoFlags.port))
        certificate = arguments.value(EchoFlags.certificate)
        key = arguments.value(EchoFlags.key)
        name = arguments.value(EchoFlags.name)
        if certificate == nil, key != nil { throw UsageError("sluice echo: --tls-key needs --tls-cert as well") }
        if key == nil, certificate != nil { throw UsageError("sluice echo: --tls-cert needs --tls-key as well") }
    }
}
