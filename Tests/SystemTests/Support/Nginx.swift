internal import Glibc
internal import TestSupport

/// nginx with one server, which answers every request with its own name.
final class Nginx: Sendable {
    let port: UInt16
    private let program: Program
    private let directory: TemporaryDirectory

    /// HTTPS with a certificate, else plain HTTP.
    convenience init(_ name: String, certificate: TestCertificate? = nil) throws {
        try self.init(
            name, at: try Ports.free(), certificate == nil ? "" : "ssl", "\(name) $ssl_server_name $host\\n",
            certificate)
    }

    /// Takes the PROXY protocol and answers with what it says of client and listener, a bar between each two.
    convenience init(readingHeadersAt port: UInt16) throws {
        let facts = ["addr", "port", "server_addr", "server_port"].map { "$proxy_protocol_\($0)" }
        try self.init("headers", at: port, "proxy_protocol", facts.joined(separator: "|"), nil)
    }

    private init(
        _ name: String, at port: UInt16, _ listening: String, _ answer: String, _ certificate: TestCertificate?
    ) throws {
        self.port = port
        directory = try TemporaryDirectory()
        try directory.write(certificate?.chainPEM ?? "", to: "tls.crt")
        try directory.write(certificate?.privateKeyPEM ?? "", to: "tls.key")
        let path = directory.path
        let tls = certificate == nil ? "" : "ssl_certificate \(path)/tls.crt; ssl_certificate_key \(path)/tls.key;"
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(path)/\($0);" }.joined(separator: " ")
        let configuration = try directory.write(
            """
            \(Installation.isRoot ? "user root;" : "")
            pid \(path)/pid; error_log stderr notice; daemon off; worker_processes 1;
            events {}
            http {
              access_log off; default_type text/plain; \(temporary)
              server {
                listen 127.0.0.1:\(port) \(listening); \(tls)
                location / { return 200 "\(answer)"; }
              }
            }
            """, to: "nginx.conf")
        program = try Program(
            "nginx \(name)", [try Installation.program("nginx"), "-p", path, "-c", configuration, "-e", "stderr"],
            endingSignal: SIGTERM)
        let port = port
        _ = try program.wait(for: "a connection") { try? PlainClient(port: port) }
    }
}

/// curl to a name that is resolved to 127.0.0.1, verified by the CA in a file.
func curl(_ name: String, port: UInt16, authority: String, _ flags: String...) throws -> CommandResult {
    try run(
        [
            try Installation.program("curl"), "--silent", "--show-error", "--max-time", "10", "--noproxy", "*",
            "--resolve", "\(name):\(port):127.0.0.1", "--cacert", authority,
        ] + flags + ["https://\(name):\(port)/"])
}
