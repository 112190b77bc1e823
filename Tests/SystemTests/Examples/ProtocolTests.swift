internal import FoundationEssentials
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    @Suite("Examples: a manifest for each protocol", .timeLimit(.minutes(3)))
    struct ProtocolTests {
        private static let folder = "\(Installation.root)/examples/protocols"
        private let certificates: TemporaryDirectory

        /// The certificates that the folder's README makes.
        init() throws {
            certificates = try TemporaryDirectory()
            let names = "orders.example.com,grpc.example.com,events.example.com,ws.example.com"
            _ = try run(["\(Installation.root)/examples/certificates", certificates.path, names]).checked()
        }

        @Test("each of them is accepted by check, with nothing skipped, and stands in the README")
        func accepted() throws {
            let files = try listDirectory(Self.folder).filter { $0.hasSuffix(".yaml") }.sorted()
            let readme = String(decoding: try readFile("\(Self.folder)/README.md"), as: UTF8.self)
            let listed = readme.split(separator: "\n").filter { $0.hasPrefix("| [") }
            #expect(listed.count == files.count && files.count == 13)
            for file in files {
                let output = try check(file).checked()
                let answer = try JSONDecoder().decode(Answer.self, from: Data(output.utf8))
                #expect(answer.accepted && answer.problems == [] && answer.unknownKinds == [], "\(file): \(output)")
                #expect(answer.listeners.count == 1, "\(file)")
                let row = listed.first { $0.contains("](\(file))") } ?? ""
                for listener in answer.listeners {
                    let port = listener.bindings.first?.address.split(separator: ":").last ?? "none"
                    #expect(row.contains("| \(port) |"), "\(file): port \(port), and README: \(row)")
                    #expect(!listener.routes.isEmpty, "\(file)")
                    for route in listener.routes { #expect(route.backends.allSatisfy { $0.backend != nil }, "\(file)") }
                }
            }
        }

        @Test("a wrong setting in one of them is found")
        func wrong() throws {
            let text = String(decoding: try readFile("\(Self.folder)/rdp.yaml"), as: UTF8.self)
            let broken = text.replacing("type: ConsistentHash", with: "type: Sticky")
            #expect(broken != text)
            let path = try certificates.write(broken, to: "rdp.yaml")
            let result = try run([try Installation.sluice(), "check", path])
            #expect(result.ending == .exited(code: 1))
            #expect(result.output.contains("spec.loadBalancer.type"), "\(result.output)")
        }

        @Test("the checks of Redis and PostgreSQL pass at real servers, and fail at another one")
        func probes() throws {
            let echo = try EchoBackend("neither")
            let redis = try Redis()
            try probe("redis.yaml", service: "redis", portName: "redis", good: redis.port, bad: echo.port)
            let postgres = try Postgres()
            try probe("postgres.yaml", service: "orders", portName: "postgres", good: postgres.port, bad: echo.port)
        }

        private func probe(_ file: String, service: String, portName: String, good: UInt16, bad: UInt16) throws {
            for (port, passes) in [(good, true), (bad, false)] {
                let folder = try TemporaryDirectory()
                for path in ["\(Self.folder)/\(file)", "\(certificates.path)/certificates.yaml"] {
                    _ = try run(["cp", path, folder.path]).checked()
                }
                try folder.write(
                    """
                    apiVersion: discovery.k8s.io/v1
                    kind: EndpointSlice
                    metadata: {name: \(service), labels: {kubernetes.io/service-name: \(service)}}
                    addressType: IPv4
                    ports: [{name: \(portName), port: \(port)}]
                    endpoints: [{addresses: [127.0.0.1]}]
                    """, to: "endpoints.yaml")
                let result = try run(
                    [try Installation.sluice(), "probe", "default/\(service)", "-f", folder.path])
                #expect(result.succeeded == passes, "\(file): \(result.output)\(result.errors)")
                #expect(result.output.contains("expect"), "\(file): \(result.output)\(result.errors)")
            }
        }

        private func check(_ file: String) throws -> CommandResult {
            try run([
                try Installation.sluice(), "check", "\(Self.folder)/\(file)", "\(certificates.path)/certificates.yaml",
                "-o", "json",
            ])
        }
    }
}

private struct Answer: Decodable {
    struct Binding: Decodable { var address: String }
    struct Backend: Decodable { var backend: String? }
    struct Route: Decodable { var backends: [Backend] }
    struct Listener: Decodable {
        var bindings: [Binding]
        var routes: [Route]
    }
    struct Problem: Decodable, Equatable { var text: String }
    struct Unknown: Decodable, Equatable { var kind: String }
    var accepted: Bool
    var listeners: [Listener]
    var problems: [Problem]
    var unknownKinds: [Unknown]
}
