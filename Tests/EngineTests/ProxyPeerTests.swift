import Engine
import EngineCore
import EngineModel
import Glibc
import Platform
import Primitives
import TestSupport
import Testing

/// A server that is not ours, with a configuration of the test's own. It is there once its port answers.
private final class Peer {
    let folder: TemporaryDirectory
    private let child: ChildProcess

    /// `FOLDER` stands for a folder of its own.
    init(_ arguments: [String], _ configuration: String, port: UInt16) throws {
        folder = try TemporaryDirectory()
        let text = configuration.replacing("FOLDER", with: folder.path)
        let file = try folder.write(text, to: "configuration")
        let output = "\(folder.path)/output"
        let input = FileDescriptor(owning: open("/dev/null", O_RDONLY | O_CLOEXEC))
        let written = FileDescriptor(owning: open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
        child = try ChildProcess(arguments + [file], input: input.raw, output: written.raw)
        guard waitUntil(deadline: .seconds(20), { (try? PlainClient(port: port)) != nil }) else {
            let text = (try? readFile(output)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            throw TestFailure("\(arguments) does not listen: \(text)")
        }
    }

    deinit {
        child.signal(SIGTERM)
        _ = child.wait()
    }
}

/// What HAProxy and nginx, which read the protocol by their own lights, make of our headers. HAProxy checks the CRC32C.
@Suite("PROXY protocol to HAProxy and nginx", .timeLimit(.minutes(5)))
struct ProxyPeerTests {
    /// Answers with what it knows of its client.
    private func haproxy(_ port: UInt16, _ bind: String = "") throws -> Peer {
        try Peer(
            ["haproxy", "-db", "-f"],
            """
            global
              maxconn 100
            defaults
              mode http
              timeout connect 5s
              timeout client 1m
              timeout server 1m
            frontend f
              bind 127.0.0.1:\(port) accept-proxy \(bind)
              http-request return status 200 content-type text/plain lf-string \
            "%[src]|%[src_port]|%[dst]|%[dst_port]|%[fc_rcvd_proxy]|%[fc_pp_authority]|%[fc_pp_unique_id]"

            """, port: port)
    }

    private func nginx(_ port: UInt16) throws -> Peer {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path FOLDER/\($0);" }.joined(separator: " ")
        return try Peer(
            ["nginx", "-e", "stderr", "-c"],
            """
            \(getuid() == 0 ? "user root;" : "")
            pid FOLDER/pid; error_log stderr notice; daemon off; worker_processes 1;
            events {}
            http {
              access_log off; default_type text/plain; \(temporary)
              server {
                listen 127.0.0.1:\(port) proxy_protocol;
                location / {
                  return 200 "$proxy_protocol_addr|$proxy_protocol_port|$proxy_protocol_server_addr|$proxy_protocol_server_port";
                }
              }
            }
            """, port: port)
    }

    /// What stands between the bars of the answer to one request.
    private func answer(over stream: any TestStream) throws -> [String] {
        try stream.send("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
        var bytes: [UInt8] = []
        while true {
            let more = try stream.receive()
            if more.isEmpty { break }
            bytes += more
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { throw TestFailure("no answer: \(text)") }
        return text[end.upperBound...].split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    }

    private func listener(_ port: UInt16, receives: Bool) -> ListenerConfiguration {
        var listener = tcpListener("t", port: port, route("a", to: "a"))
        if receives { listener.settings.proxyProtocol = ProxyProtocolReception() }
        return listener
    }

    @Test(
        "both versions, IPv4 and IPv6, from the client itself and passed on",
        arguments: [ProxyProtocolSending.Version.v1, .v2], ["haproxy", "nginx"])
    func addresses(version: ProxyProtocolSending.Version, program: String) throws {
        let harness = try EngineHarness(workers: 1)
        let (port, behind) = (try freePort(), try freePort())
        let peer = try program == "nginx" ? nginx(behind) : haproxy(behind)
        harness.apply([listener(port, receives: false)], [backend("a", ports: [behind]).sending(version)])
        let client = try PlainClient(port: port)
        let own = try #require(client.localAddress)
        #expect(try answer(over: client).prefix(4) == ["127.0.0.1", "\(own.port)", "127.0.0.1", "\(port)"])
        harness.apply([listener(port, receives: true)], [backend("a", ports: [behind]).sending(version)])
        for (source, expected) in [
            (ProxyBytes.source4, ["203.0.113.7", "4660", "198.51.100.1", "443"]),
            (ProxyBytes.source6, ["2001:db8::7", "4660", "2001:db8::1", "443"]),
        ] {
            let client = try PlainClient(port: port)
            try client.send(try ProxyBytes.header(.v2, from: source))
            #expect(try answer(over: client).prefix(4) == expected[...])
        }
        withExtendedLifetime(peer) {}
    }

    @Test("HAProxy reads the TLVs of a client with TLS, whose own facts stand between them, with a right CRC32C")
    func extended() throws {
        let tls = try TLSHarness()
        let behind = try freePort()
        let peer = try haproxy(behind)
        let certificate = try tls.clients.issue(dnsNames: ["client"])
        var termination = TLSTermination(certificates: [try facts(tls.server)])
        termination.clientValidation = ClientValidation(trust: try trust(tls.clients))
        let target = backend("a", ports: [behind]).sending(
            .v2, .ssl, .alpn, .authority, .custom(0xe0, Array("edge".utf8)), .crc32c, .uniqueID)
        tls.harness.apply(
            [
                tlsListener(
                    "t", port: tls.port, mode: .terminate(termination), routes: [], fallback: route("a", to: "a"))
            ], [target])
        let client = try TLSTestClient(port: tls.port, tls.options(.tls13, certificate))
        let connection = try #require(tls.harness.engine.connections().first)
        let fields = try answer(over: client)
        #expect(fields[4...] == ["1", "a.test", String(connection.id, radix: 16)])
        withExtendedLifetime(peer) {}
    }

    @Test("HAProxy takes the header before TLS")
    func beforeTLS() throws {
        let harness = try EngineHarness(workers: 1)
        let authority = try TestPKI.makeCA()
        let certificate = try authority.issue(dnsNames: ["db.test"])
        let folder = try TemporaryDirectory()
        let pem = try folder.write(certificate.chainPEM + certificate.privateKeyPEM, to: "server.pem")
        let (port, behind) = (try freePort(), try freePort())
        let peer = try haproxy(behind, "ssl crt \(pem)")
        let tls = BackendTLS(trust: .bundles(try trust(authority)), hostname: "db.test")
        harness.apply(
            [listener(port, receives: false)],
            [backend("a", ports: [behind], tls: tls).sending(.v2, .crc32c, .uniqueID)])
        let client = try PlainClient(port: port)
        let own = try #require(client.localAddress)
        let fields = try answer(over: client)
        #expect(fields[..<5] == ["127.0.0.1", "\(own.port)", "127.0.0.1", "\(port)", "1"])
        withExtendedLifetime(peer) {}
    }
}
