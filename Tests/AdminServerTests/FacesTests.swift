import AdminServer
import Observability
import Platform
import Primitives
import Testing

@Suite("Probe and admin servers", .timeLimit(.minutes(1)))
struct FacesTests {
    private static let anyPort = SocketAddress(.loopbackV4, 0)

    @Test("probes say yes with 200 and no with 503, the reasons and the details")
    func probes() throws {
        let state = Locked(
            ProbeResult(reasons: ["no configuration yet", "say \"hi\""], details: ["b": "2", "a": "1"]))
        let server = try ProbeServer(
            address: Self.anyPort, live: { .passing }, ready: { _ in state.withLock { $0 } }, metrics: { _ in })
        defer { server.stop() }
        let live = try RawResponse.of("GET", "/livez", from: server.address, host: "10.0.0.7:8081")
        #expect(live.status == 200)
        #expect(live.body == "{\"live\":true}\n")
        let unready = try RawResponse.of("GET", "/readyz", from: server.address)
        #expect(unready.status == 503)
        #expect(unready.fields["content-type"] == "application/json")
        #expect(
            unready.body
                == #"{"ready":false,"reasons":["no configuration yet","say \"hi\""],"details":{"a":"1","b":"2"}}"#
                + "\n")
        state.withLock { $0 = ProbeResult(details: ["connections": "at the limit"]) }
        let ready = try RawResponse.of("GET", "/readyz", from: server.address)
        #expect(ready.status == 200)
        #expect(ready.body == #"{"ready":true,"details":{"connections":"at the limit"}}"# + "\n")
    }

    @Test(
        "only /readyz?verbose asks for everything",
        arguments: [
            ("/readyz", false), ("/readyz?verbose", true), ("/readyz?verbose=1", true), ("/readyz?verb", false),
        ])
    func verbose(path: String, expected: Bool) throws {
        let asked = Locked(false)
        let server = try ProbeServer(
            address: Self.anyPort, live: { .passing },
            ready: { isVerbose in
                asked.withLock { $0 = isVerbose }
                return .passing
            }, metrics: { _ in })
        defer { server.stop() }
        #expect(try RawResponse.of("GET", path, from: server.address).status == 200)
        #expect(asked.withLock { $0 } == expected)
    }

    @Test("metrics are the caller's families and the process's, in Prometheus' type")
    func metrics() throws {
        let log = MemoryLog()
        let server = try ProbeServer(
            address: Self.anyPort, logger: Logger(recordingTo: log), live: { .passing }, ready: { _ in .passing },
            metrics: { text in
                text.single(.generation, 3)
                text.single(.processOpenDescriptors, 3)
            })
        defer { server.stop() }
        let response = try RawResponse.of("GET", "/metrics", from: server.address)
        #expect(response.status == 200)
        #expect(response.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(response.body.contains("\nsluice_config_generation 3\n"))
        #expect(response.body.contains("\n# TYPE process_cpu_seconds_total counter\n"))
        #expect(log.waitForEntry { $0.level == .error }?.text("metric") == "process_open_fds")
    }

    @Test("the admin server shows the configuration and lists its paths")
    func admin() throws {
        let extra = HTTPRoute("/longer-path", "something else") { _ in .text("x") }
        let server = try AdminServer(address: Self.anyPort, routes: [extra]) { #"{"generation":1}"# }
        defer { server.stop() }
        let config = try RawResponse.of("GET", "/config", from: server.address)
        #expect(config.status == 200)
        #expect(config.fields["content-type"] == "application/json")
        #expect(config.body == #"{"generation":1}"#)
        let index = try RawResponse.of("GET", "/", from: server.address, host: "127.0.0.1:\(server.address.port)")
        #expect(
            index.body == """
                sluice admin

                /config       the configuration that the engine runs, keys left out
                /longer-path  something else

                """)
        let paths = try RawResponse.of("GET", "/paths", from: server.address)
        #expect(paths.body == index.body)
    }

    @Test("a page of the caller's stands at /, and the list stays at /paths")
    func root() throws {
        let page = HTTPRoute("/", "the page") { _ in .text("page") }
        let change = HTTPRoute("/change", "changes", method: .post) { _ in .text("done") }
        let server = try AdminServer(address: Self.anyPort, routes: [page, change]) { "{}" }
        defer { server.stop() }
        #expect(try RawResponse.of("GET", "/", from: server.address).body == "page")
        #expect(
            try RawResponse.of("GET", "/paths", from: server.address).body == """
                sluice admin

                /config       the configuration that the engine runs, keys left out
                /             the page
                POST /change  changes

                """)
    }

    @Test(
        "the admin server does not answer under a stranger's name",
        arguments: ["evil.example", "evil.example:19000", ""])
    func rebinding(host: String) throws {
        let server = try AdminServer(address: Self.anyPort) { "secret" }
        defer { server.stop() }
        let response = try RawResponse.of("GET", "/config", from: server.address, host: host)
        #expect((400..<500).contains(response.status))
        #expect(!response.body.contains("secret"))
        #expect(response.fields.keys.allSatisfy { !$0.hasPrefix("access-control") })
    }

    @Test(
        "hosts that a loopback policy admits",
        arguments: [
            "localhost", "LOCALHOST:19000", "localhost.", "127.0.0.1", "127.9.9.9:1", "[::1]", "[::1]:19000",
            "Sluice.internal",
        ])
    func admits(host: String) {
        #expect(HostPolicy.loopback(names: ["sluice.INTERNAL"]).admits(host))
    }

    @Test(
        "hosts that a loopback policy refuses",
        arguments: [
            nil, "", "evil.example", "localhost.evil.example", "10.0.0.1", "[fe80::1]", "[::1", "[::1]x", "[127.0.0.1]",
            "127.0.0.1.evil.example",
            "localhost:x", "localhost:99999", "::1", "127.1", "0x7f000001", "a@localhost",
        ])
    func refuses(host: String?) {
        #expect(!HostPolicy.loopback().admits(host))
    }

    @Test("a server bound to more than loopback answers under addresses too")
    func anyAddress() {
        let policy = HostPolicy.loopback(anyAddress: true)
        #expect(policy.admits("10.0.0.1:19000"))
        #expect(policy.admits("[2001:db8::1]"))
        #expect(!policy.admits("evil.example"))
    }

    @Test("curl reads the metrics and gets the probe's status")
    func curl() throws {
        let server = try ProbeServer(
            address: Self.anyPort, live: { .passing }, ready: { _ in ProbeResult(reasons: ["draining"]) },
            metrics: { _ in })
        defer { server.stop() }
        let base = "http://\(server.address)"
        let metrics = try ChildProcess(["curl", "--fail", "--silent", "--output", "/dev/null", "\(base)/metrics"])
        #expect(metrics.wait() == .exited(code: 0))
        let ready = try ChildProcess(["curl", "--fail", "--silent", "--output", "/dev/null", "\(base)/readyz"])
        #expect(ready.wait() == .exited(code: 22))
        let posted = try ChildProcess([
            "curl", "--fail", "--silent", "--output", "/dev/null", "--data-binary", "@/bin/sh", "\(base)/metrics",
        ])
        #expect(posted.wait() == .exited(code: 22))
    }
}
