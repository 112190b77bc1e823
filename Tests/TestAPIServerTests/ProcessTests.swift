import FoundationEssentials
import Glibc
import KubernetesAPI
import Platform
import Primitives
import TestAPIServer
import TestSupport
import Testing

/// The server as a process of its own.
private final class ServerProcess {
    let address: SocketAddress
    let process: ChildProcess

    init(_ arguments: [String], folder: TemporaryDirectory) throws {
        let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = bundle.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
        let path = "\(folder.path)/output"
        let log = FileDescriptor(owning: open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600))
        let process = try ChildProcess(["\(program)/sluice-test-apiserver"] + arguments, output: log.raw)
        self.process = process
        var text = ""
        let isListening = try waitUntil(deadline: .seconds(20)) {
            text = String(decoding: try readFile(path), as: UTF8.self)
            return text.contains("listening on http://") && text.hasSuffix("\n") || process.poll() != nil
        }
        guard isListening, let url = text.split(separator: "http://").last,
            let address = SocketAddress(String(url.prefix { $0 != "\n" }))
        else { throw TestFailure("the server does not start: \(text)") }
        self.address = address
    }

    func kill() {
        process.signal(SIGKILL)
        _ = process.wait()
    }

    func request(_ method: String, _ target: String, body: String? = nil) throws -> APIAnswer {
        let connection = try PlainClient(to: address)
        defer { connection.close() }
        try connection.send(requestText(method, target, headers: ["Content-Type": "application/yaml"], body: body))
        return try parse(try connection.receiveAll())
    }
}

@Suite("The server as a process", .timeLimit(.minutes(1)))
struct ProcessTests {
    @Test("kept state survives kill -9: objects, identifiers and versions; older watches are told 410")
    func journal() throws {
        let folder = try TemporaryDirectory()
        let state = "\(folder.path)/state"
        var server = try ServerProcess(["--state", state], folder: folder)
        let maps = "/api/v1/namespaces/default/configmaps"
        for name in ["a", "b"] {
            let map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: \(name)}, data: {of: \(name)}}"
            #expect(try server.request("POST", maps, body: map).status == 201)
        }
        #expect(try server.request("DELETE", maps + "/b").status == 200)
        #expect(try server.request("POST", "/_control/remove-kind?kind=UDPRoute").status == 200)
        let before = try server.request("GET", maps + "/a").json()
        let version = try #require(try server.request("GET", maps).json().at("metadata", "resourceVersion")?.text)
        server.kill()
        server = try ServerProcess(["--state", state, "--port", String(server.address.port)], folder: folder)
        defer { server.kill() }
        #expect(try server.request("GET", maps + "/a").json() == before)
        #expect(try server.request("GET", maps + "/b").status == 404)
        #expect(try server.request("GET", "/apis/gateway.networking.k8s.io/v1/udproutes").status == 404)
        #expect(try server.request("GET", maps).json().at("metadata", "resourceVersion")?.text == version)
        let old = try server.request("GET", maps + "?watch=1&resourceVersion=3&timeoutSeconds=0").events()
        #expect(old.first?.at("object", "code") == .integer(410))
        let current = try server.request("GET", maps + "?watch=1&resourceVersion=\(version)&timeoutSeconds=0")
        #expect(current.body.isEmpty)
    }

    @Test("commands over HTTP do what the methods do, also while everything else fails")
    func control() throws {
        let folder = try TemporaryDirectory()
        _ = try folder.write(
            "{apiVersion: v1, kind: Service, metadata: {name: db, namespace: shop}, spec: {selector: {app: db}, ports: "
                + "[{port: 5432}]}}\n", to: "manifests/db.yaml")
        let server = try ServerProcess(["--manifests", "\(folder.path)/manifests"], folder: folder)
        defer { server.kill() }
        let slices = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"
        let pod = "{namespace: shop, name: db-0, labels: {app: db}, port: 40123}"
        #expect(try server.request("POST", "/_control/pods", body: pod).text == "ok\n")
        #expect(
            try waitUntil {
                let list = try server.request("GET", slices).json()["items"]?.elements ?? []
                return list.contains { $0["ports"]?.elements?.first?["port"] == .integer(40123) }
            })
        let faults = "{answersWith: 503, retryAfter: 2}"
        #expect(try server.request("POST", "/_control/faults", body: faults).status == 200)
        let failed = try server.request("GET", slices)
        #expect(failed.status == 503)
        #expect(failed.headers["retry-after"] == "2")
        #expect(try server.request("POST", "/_control/faults", body: "{answerswith: 1}").status == 400)
        #expect(try server.request("POST", "/_control/faults", body: "{}").status == 200)
        #expect(try server.request("GET", slices).status == 200)
        let counts = try server.request("GET", "/_control/statistics").json()["counts"]
        #expect((counts?["GET \(slices)"]?.integer ?? 0) > 0)
    }
}
