import FoundationEssentials
import Glibc
import KubernetesAPI
import Platform
import TestAPIServer
import TestSupport
import Testing

/// The real kubectl, with a home and a configuration of its own.
private final class Kubectl {
    private let folder: TemporaryDirectory

    init(_ kubeconfig: String) throws {
        folder = try TemporaryDirectory()
        _ = try folder.write(kubeconfig, to: "config")
    }

    struct Result {
        var code: Int32
        var text: String
    }

    func start(_ arguments: [String], output: String) throws -> ChildProcess {
        let path = "\(folder.path)/\(output)"
        let log = FileDescriptor(owning: open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600))
        let nothing = try FileDescriptor(readingFileAt: "/dev/null")
        return try ChildProcess(
            ["kubectl"] + arguments, environment: ["KUBECONFIG": "\(folder.path)/config", "HOME": folder.path],
            input: nothing.raw, output: log.raw)
    }

    func output(_ name: String) throws -> String {
        String(decoding: try readFile("\(folder.path)/\(name)"), as: UTF8.self)
    }

    /// Runs it to its end.
    @discardableResult
    func callAsFunction(_ arguments: String..., expecting code: Int32? = 0) throws -> String {
        let process = try start(arguments, output: "output")
        guard waitUntil(deadline: .seconds(50), { process.poll() != nil }) else {
            process.signal(SIGKILL)
            throw TestFailure("kubectl \(arguments) does not end: \(try output("output"))")
        }
        let text = try output("output")
        if let code, process.wait() != .exited(code: code) {
            throw TestFailure("kubectl \(arguments.joined(separator: " ")): \(process.wait()): \(text)")
        }
        return text
    }

    func write(_ text: String, to name: String) throws -> String { try folder.write(text, to: name) }
}

@Suite("kubectl", .serialized, .timeLimit(.minutes(2)))
struct KubectlTests {
    private let manifests = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: edge}
        spec: {gatewayClassName: sluice, listeners: [{name: db, port: 5432, protocol: TCP}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: db}
        spec: {selector: {app: db}, ports: [{name: db, port: 5432}]}
        """

    @Test("applies, shows, describes, patches and deletes over plain HTTP")
    func session() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        try session(server, try Kubectl(server.kubeconfig()))
    }

    @Test("does the same over TLS and HTTP/2 with a token")
    func sessionOverTLS() throws {
        var options = TestAPIServer.Options()
        options.tokens["secret"] = .admin
        let server = try TestAPIServer.start(options)
        defer { server.stop() }
        let front = try HTTP2Front(before: server.address)
        defer { front.stop() }
        try session(server, try Kubectl(front.kubeconfig(token: "secret")))
        #expect(try Kubectl(front.kubeconfig(token: "wrong"))("get", "gateways", expecting: 1).contains("logged in"))
    }

    private func session(_ server: TestAPIServer, _ kubectl: Kubectl) throws {
        let file = try kubectl.write(manifests, to: "manifests.yaml")
        #expect(try kubectl("apply", "-f", file).contains("gateway.gateway.networking.k8s.io/edge created"))
        #expect(try kubectl("apply", "-f", file).contains("service/db unchanged"))
        let applied = try kubectl("apply", "--server-side", "-f", file)
        #expect(applied.contains("edge serverside-applied"))
        #expect(!applied.contains("Warning"))

        let status =
            "{status: {addresses: [{value: 127.0.0.9}], conditions: [{type: Programmed, status: \"True\", reason: "
            + "Programmed, message: \"\", lastTransitionTime: \"2026-01-01T00:00:00Z\"}]}}"
        try server.patch("Gateway", "default", "edge", subresource: "status", yaml: status)
        let table = try kubectl("get", "gateway", "edge").split(separator: "\n").map { $0.split(separator: " ") }
        #expect(table.first == ["NAME", "CLASS", "ADDRESS", "PROGRAMMED", "AGE"])
        #expect(table.last?.prefix(4) == ["edge", "sluice", "127.0.0.9", "True"])
        #expect(try kubectl("get", "gtw,svc", "-A").contains("service/db"))

        let uid = try #require(server.object("Gateway", "default", "edge")?.at("metadata", "uid")?.text)
        try server.create(
            yaml: """
                apiVersion: events.k8s.io/v1
                kind: Event
                metadata: {name: edge.1}
                eventTime: "2026-11-20T10:00:00.000000Z"
                reportingController: sluice.dev/gateway-controller
                reportingInstance: sluice-0
                action: Programming
                reason: InvalidCertificateRef
                type: Warning
                note: no such Secret
                regarding:
                  {apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, name: edge, namespace: default, uid: \(uid)}
                """)
        let description = try kubectl("describe", "gateway", "edge")
        #expect(description.contains("Gateway Class Name:  sluice"))
        #expect(description.contains("no such Secret"))
        #expect(try kubectl("get", "events").contains("gateway/edge"))

        try kubectl("patch", "gateway", "edge", "--type=merge", "-p", #"{"spec":{"gatewayClassName":"other"}}"#)
        try kubectl("patch", "svc", "db", "-p", #"{"spec":{"ports":[{"port":5432,"targetPort":9}]}}"#)
        try kubectl(
            "patch", "svc", "db", "--type=json", "-p", #"[{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]"#)
        #expect(server.object("Gateway", "default", "edge")?.at("spec", "gatewayClassName") == .string("other"))
        let service = server.object("Service", "default", "db")
        #expect(service?.at("spec", "ports")?.elements?.first?["targetPort"] == .integer(9))
        #expect(service?.at("metadata", "labels", "a") == .string("b"))
        #expect(
            try kubectl("apply", "--server-side", "-f", file, expecting: 1).contains("conflict with \"kubectl-patch\""))
        let refused = try kubectl(
            "patch", "gateway", "edge", "--type=merge", "-p",
            #"{"spec":{"listeners":[{"name":"db","port":70000,"protocol":"TCP"}]}}"#, expecting: 1)
        #expect(refused.contains("should be less than or equal to 65535"))
        #expect(try kubectl("delete", "-f", file).contains("\"edge\" deleted"))
        #expect(server.objects("Gateway") == [])
    }

    @Test("get -w shows what happens, over plain HTTP and over HTTP/2", arguments: [false, true])
    func watch(isTLS: Bool) throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        let front = isTLS ? try HTTP2Front(before: server.address) : nil
        defer { front?.stop() }
        let kubectl = try Kubectl(front?.kubeconfig() ?? server.kubeconfig())
        try server.create(yaml: manifests)
        let process = try kubectl.start(["get", "gateways", "-w"], output: "watch")
        defer {
            process.signal(SIGKILL)
            _ = process.wait()
        }
        func lines() throws -> Int { try kubectl.output("watch").split(separator: "\n").count }
        #expect(try waitUntil(deadline: .seconds(30)) { try lines() == 2 })
        #expect(waitUntil { server.statistics.watches == 1 })
        try server.patch(
            "Gateway", "default", "edge", subresource: "status", yaml: "{status: {addresses: [{value: 127.0.0.7}]}}")
        #expect(try waitUntil { try kubectl.output("watch").contains("127.0.0.7") })
        try server.delete("Gateway", "default", "edge")
        #expect(try waitUntil { try lines() == 4 })
    }

    @Test("creates Secrets, scales Deployments, sees what it may do, and finds the kinds of definitions it applies")
    func more() throws {
        let server = try TestAPIServer.start()
        defer { server.stop() }
        let kubectl = try Kubectl(server.kubeconfig())
        let certificate = try TestPKI.makeCA().issue(dnsNames: ["a.example"])
        let chain = try kubectl.write(certificate.chainPEM, to: "tls.crt")
        let key = try kubectl.write(certificate.privateKeyPEM, to: "tls.key")
        #expect(
            try kubectl("create", "secret", "tls", "cert", "--cert", chain, "--key", key).contains(
                "secret/cert created"))
        #expect(server.object("Secret", "default", "cert")?["type"] == .string("kubernetes.io/tls"))
        let deployment =
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: db}, spec: {selector: {matchLabels: {app: db}}}}"
        try server.create(yaml: deployment)
        #expect(try kubectl("scale", "deployment", "db", "--replicas=3").contains("scaled"))
        #expect(server.object("Deployment", "default", "db")?.at("spec", "replicas") == .integer(3))
        #expect(try kubectl("auth", "can-i", "create", "gateways").contains("yes"))
        let root = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
        #expect(try kubectl("apply", "-f", "\(root)/crds").contains("backends.sluice.dev created"))
        #expect(try kubectl("get", "backends").contains("No resources found"))
        #expect(try kubectl("wait", "--for=condition=Established", "crd/backends.sluice.dev").contains("condition met"))
    }
}
