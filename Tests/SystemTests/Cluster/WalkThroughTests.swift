internal import FoundationEssentials
internal import Glibc
internal import KubernetesAPI
internal import Platform
internal import TestAPIServer
internal import TestSupport
internal import Testing

extension Process {
    /// README's section "In a cluster", command by command, with the rights of the manifests alone.
    @Suite("the walk-through of a cluster", .timeLimit(.minutes(3)))
    struct WalkThroughTests {
        @Test("every command of README works as printed")
        func commands() throws {
            let installation = try TestInstallation()
            let (server, kubectl) = (installation.server, installation.kubectl)
            var commands = try Commands(kubectl)
            // The first three are how a TestInstallation is made; of Gateway API it has this release.
            #expect(
                try commands.next().hasSuffix(
                    "/kubernetes-sigs/gateway-api/releases/download/\(try bundleVersion(server))/standard-install.yaml")
            )
            #expect(try commands.next() == "kubectl apply --server-side -f crds/")
            #expect(try commands.next() == "kubectl apply -f manifests/sluice.yaml")
            #expect(try kubectl("get", "gatewayclass", "sluice").contains("sluice.dev/gateway-controller"))
            let pods = try (0..<3).map { _ in try Redis() }
            for (number, redis) in pods.enumerated() {
                server.addPod(TestPod(name: "redis-\(number)", labels: ["app": "redis"], port: Int(redis.port)))
            }
            let replica = try installation.replica()
            try replica.waitUntilReady()

            try commands.run("kubectl apply -f examples/kubernetes/redis.yaml")
            let get = try commands.next()
            let row = try replica.program.wait(for: "PROGRAMMED True and an address") {
                let lines = try commands.run(get).split(separator: "\n")
                #expect(columns(lines[0]) == ["NAME", "CLASS", "ADDRESS", "PROGRAMMED", "AGE"])
                return columns(lines[1]).count == 5 && columns(lines[1])[3] == "True" ? columns(lines[1]) : nil
            }
            #expect(row[0] == "redis" && row[1] == "sluice")
            try expectViews(of: replica, installation)

            // The balancer and kube-proxy: from the Gateway's address to the bound port.
            let bound = try #require(try kubectl.boundPort(of: "redis", port: 6379))
            let proxy = try Program(
                "balancer", try Installation.peer("relay.py", "tcp:\(row[2]):6379", "tcp:127.0.0.1:\(bound)"))
            _ = try proxy.line(after: "relays")
            let ping = try commands.next()
            #expect(ping.hasPrefix("redis-cli -h ") && ping.hasSuffix(" ping"))
            let words = ping.split(separator: " ").map { $0.contains(".") ? row[2] : String($0) }
            #expect(try run([try Installation.program(words[0])] + words.dropFirst()).checked() == "PONG\n")

            try commands.run("kubectl scale deployment redis --replicas=3")
            var seen: Set<String> = []
            _ = try replica.program.wait(for: "an answer of every pod") {
                let info = try Redis.command(["INFO", "server"], at: bound)
                if let line = info.split(whereSeparator: \.isNewline).first(where: { $0.hasPrefix("tcp_port:") }) {
                    seen.insert(String(line.dropFirst("tcp_port:".count).prefix { $0.isNumber }))
                }
                return seen.count == 3 ? true : nil
            }
            #expect(seen == Set(pods.map { "\($0.port)" }))

            let describe = try commands.run("kubectl describe tcproute redis")
            #expect(describe.contains("Accepted") && describe.contains("ResolvedRefs"))
            try commands.run("kubectl delete -f examples/kubernetes/redis.yaml")
            _ = try replica.program.wait(for: "the end of Service and listener") {
                let isGone = try kubectl.boundPort(of: "redis", port: 6379) == nil
                return isGone && (try? PlainClient(port: bound)) == nil ? true : nil
            }
            #expect(commands.rest.isEmpty, "README has commands that nobody ran: \(commands.rest)")
            #expect(replica.logLine(["forbidden"]) == nil, "the manifests grant all that is asked for")
            try replica.stop()
        }

        /// What /metrics, /readyz?verbose and /config say of a cluster.
        private func expectViews(of replica: Replica, _ installation: TestInstallation) throws {
            let files = try TemporaryDirectory()
            let file = try files.write(try replica.probe("/metrics").body, to: "metrics")
            let promtool = try Installation.program("promtool")
            let verdict = try run(["sh", "-c", "\"$1\" check metrics < \"$2\"", "sh", promtool, file])
            #expect(verdict.succeeded, "\(verdict.output)\(verdict.errors)")
            let metrics = try replica.metrics()
            #expect(metrics.sum("sluice_leader") == 1 && metrics.sum("sluice_leader_transitions_total") == 1)
            #expect(metrics.sum("sluice_kubernetes_requests_total", ["verb": "watch", "resource": "tcproutes"]) >= 1)
            #expect(metrics.value("sluice_watch_synced", ["resource": "gateways"]) == 1)
            #expect(metrics.sum("sluice_watch_last_event_timestamp_seconds", ["resource": "gateways"]) > 1.7e9)
            #expect(metrics.sum("sluice_status_updates_total", ["kind": "Gateway", "result": "ok"]) >= 1)
            #expect(metrics.sum("sluice_config_objects", ["kind": "TCPRoute", "state": "accepted"]) == 1)
            let config = try replica.config().body
            for part in [
                "\"from\" : \"\(installation.server.url)\"", "\"isLeader\" : true", "\"resource\" : \"tcproutes\"",
            ] {
                #expect(config.contains(part), "\(part) in \(config)")
            }
            let details = try replica.probe("/readyz?verbose").body
            #expect(details.contains("\"leader\":\"this replica\"") && details.contains("longest silence"))
            #expect(!config.contains("sluice-1") && !details.contains("sluice-1"), "the token is nobody's business")
        }

        private func columns(_ line: some StringProtocol) -> [String] {
            line.split(whereSeparator: \.isWhitespace).map { String($0) }
        }

        private func bundleVersion(_ server: TestAPIServer) throws -> String {
            let name = "gateways.gateway.networking.k8s.io"
            let definition = try #require(server.object("CustomResourceDefinition", "", name))
            return try #require(
                definition.at("metadata", "annotations", "gateway.networking.k8s.io/bundle-version")?.text)
        }
    }
}

/// The commands of README's section, in order, without their comments.
private struct Commands {
    private(set) var rest: [String]
    private let kubectl: Kubectl

    init(_ kubectl: Kubectl) throws {
        self.kubectl = kubectl
        let page = try String(contentsOfFile: "\(Installation.root)/README.md", encoding: .utf8)
        let section = page.components("\n## ").first { $0.hasPrefix("In a cluster\n") } ?? ""
        // Every second part of what fences divide is code; of those the ones marked sh are commands.
        let fenced = section.components("```").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        rest = fenced.filter { $0.hasPrefix("sh\n") }.flatMap { $0.split(separator: "\n").dropFirst() }.map { line in
            let command = line.components(" #").first ?? ""
            return command.split(separator: " ").joined(separator: " ")
        }
    }

    mutating func next() throws -> String {
        guard !rest.isEmpty else { throw TestFailure("README has no more commands") }
        return rest.removeFirst()
    }

    /// Runs the next command, which must be this one.
    @discardableResult
    mutating func run(_ expected: String) throws -> String {
        if rest.first == expected { rest.removeFirst() }
        let words = expected.split(separator: " ").map(String.init)
        guard words.first == "kubectl" else { throw TestFailure("no command of kubectl: \(expected)") }
        return try kubectl.run(
            words.dropFirst().map { $0.hasPrefix("examples/") ? "\(Installation.root)/\($0)" : $0 }
        ).checked()
    }
}

extension StringProtocol {
    fileprivate func components(_ separator: String) -> [String] {
        self.split(separator: separator, omittingEmptySubsequences: false).map { String($0) }
    }
}
