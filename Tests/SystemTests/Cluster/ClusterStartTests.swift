internal import KubernetesAPI
internal import Platform
internal import TestAPIServer
internal import TestSupport
internal import Testing

extension Process {
    @Suite("start and rights in a cluster", .timeLimit(.minutes(2)))
    struct ClusterStartTests {
        @Test("without an API server it lives, says why it is not ready, and goes on trying")
        func unreachable() throws {
            let installation = try TestInstallation()
            installation.server.stopListening()
            let replica = try installation.replica(environment: ServedCluster.environment)
            _ = try replica.program.wait(for: "a reason at /readyz") { () -> Bool? in
                guard let answer = try? replica.probe("/readyz"), answer.status == 503 else { return nil }
                return answer.body.contains("no configuration has been applied yet") && answer.body.contains("onnect")
                    ? true : nil
            }
            #expect(try replica.probe("/livez").status == 200)
            try installation.server.listenAgain()
            try replica.waitUntilReady()
            let verbose = try replica.probe("/readyz?verbose").body
            #expect(verbose.contains(installation.server.url) && verbose.contains("heard from the API server"))
            // The Lease cannot be given back then; the end does not wait for it for long.
            installation.server.stopListening()
            try replica.stop()
        }

        @Test("--exposure Host binds the listeners' own ports, makes no Service, and fails /readyz when it is to end")
        func host() throws {
            let installation = try TestInstallation()
            let (server, kubectl) = (installation.server, installation.kubectl)
            let port = try Ports.free()
            let echo = try EchoBackend("echo")
            let replica = try installation.replica(flags: ["--exposure", "Host", "--accept-grace", "1m"])
            try replica.waitUntilReady()
            try server.put(
                yaml: ClusterManifest.route("echo", port: port) + "---\n"
                    + ClusterManifest.service("echo", address: ServedCluster.address, port: echo.port))
            _ = try replica.program.wait(for: "a programmed Gateway") {
                try kubectl.condition("Programmed", of: "gateway", "echo").hasPrefix("True") ? true : nil
            }
            #expect(try Greeting.receive(from: try PlainClient(port: port)).backend == "echo")
            let addresses = try kubectl.value("{.status.addresses[*].value}", of: "gateway", "echo")
            #expect(addresses.contains("\(ServedCluster.address)"))
            #expect(try kubectl("get", "service", "-n", "sluice-system", "-o", "name").isEmpty)
            replica.program.signal(15)
            _ = try replica.program.wait(for: "503 at /readyz") {
                try replica.probe("/readyz").status == 503 ? true : nil
            }
            #expect(try Greeting.receive(from: try PlainClient(port: port)).backend == "echo", "the grace accepts")
            replica.program.signal(15)
            #expect(try replica.program.waitForEnd(within: .seconds(10)) == .exited(code: 143))
        }

        @Test("a missing right is named with the kind, and once it is granted the replica is ready")
        func missingRight() throws {
            let installation = try TestInstallation()
            installation.withdrawRights(on: "tcproutes")
            let replica = try installation.replica(environment: ServedCluster.environment)
            _ = try replica.program.wait(for: "the missing right at /readyz") { () -> Bool? in
                guard let answer = try? replica.probe("/readyz"), answer.status == 503 else { return nil }
                return answer.body.contains("tcproutes") && answer.body.contains("list") ? true : nil
            }
            #expect(try replica.metrics().value("sluice_watch_synced", ["resource": "tcproutes"]) == 0)
            try installation.grantRights()
            try replica.waitUntilReady()
            // Lost later: what is served stays, and the details say so.
            installation.withdrawRights(on: "tcproutes")
            installation.server.closeWatches()
            _ = try replica.program.wait(for: "the missing right among the details") {
                let answer = try replica.probe("/readyz?verbose")
                return answer.status == 200 && answer.body.contains("tcproutes") && answer.body.contains("watches")
                    ? true : nil
            }
            try replica.stop()
        }

        @Test("--watch-namespaces serves its namespaces with Roles alone, and takes the class by its name")
        func namespaced() throws {
            let installation = try TestInstallation()
            let (server, kubectl) = (installation.server, installation.kubectl)
            for namespace in ["shop", "other"] { try kubectl("create", "namespace", namespace) }
            try installation.restrict(to: ["shop"])
            let echo = try EchoBackend("shop")
            let replica = try installation.replica(flags: ["--watch-namespaces", "shop"])
            try replica.waitUntilReady()
            try server.put(
                yaml: [
                    ClusterManifest.route("echo", namespace: "shop"),
                    ClusterManifest.service(
                        "echo", namespace: "shop", address: ServedCluster.address, port: echo.port),
                    ClusterManifest.route("elsewhere", namespace: "other"),
                ].joined(separator: "---\n"))
            _ = try replica.program.wait(for: "a programmed Gateway") {
                try kubectl.condition("Programmed", of: "gateway", "echo", "-n", "shop").hasPrefix("True") ? true : nil
            }
            let port = try #require(try kubectl.boundPort(of: "echo"))
            #expect(try Greeting.receive(from: try PlainClient(port: port)).backend == "shop")
            #expect(try kubectl.boundPort(of: "elsewhere") == nil)
            // Gateway API's defaults stand for: no controller has answered.
            #expect(try !kubectl.condition("Accepted", of: "gatewayclass", "sluice").hasPrefix("True"))
            #expect(replica.logLine(["forbidden"]) == nil, "Roles alone suffice")
            try replica.stop()
        }

        @Test("kubectl describe shows an Event for a certificate that is none, and the rights of the manifests suffice")
        func events() throws {
            let installation = try TestInstallation()
            let replica = try installation.replica()
            try replica.waitUntilReady()
            try installation.kubectl.apply(
                """
                apiVersion: v1
                kind: Secret
                type: kubernetes.io/tls
                metadata: {name: broken}
                stringData: {tls.crt: nothing, tls.key: nothing}
                ---
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: secure}
                spec:
                  gatewayClassName: sluice
                  listeners:
                  - {name: tls, protocol: TLS, port: 8443, tls: {mode: Terminate, certificateRefs: [{name: broken}]}}

                """)
            _ = try replica.program.wait(for: "an Event") { () -> Bool? in
                let text = try installation.kubectl("describe", "gateway", "secure")
                guard let events = text.split(separator: "Events:").last else { return nil }
                return events.contains("Warning") && events.contains("InvalidCertificateRef") ? true : nil
            }
            #expect(replica.logLine(["forbidden"]) == nil)
            try replica.stop()
        }

        @Test("SIGTERM gives the Lease back at once, and the replica goes on accepting")
        func release() throws {
            let installation = try TestInstallation()
            let replica = try installation.replica(flags: ["--accept-grace", "1m"])
            try replica.waitUntilReady()
            try replica.waitForMetrics("leadership") { $0.sum("sluice_leader") == 1 }
            let path = "{.spec.holderIdentity}"
            let lease = ["lease", "sluice.dev-gateway-controller", "-n", "sluice-system"]
            #expect(
                try installation.kubectl.run(["get"] + lease + ["-o", "jsonpath=\(path)"]).output.hasPrefix("sluice-a"))
            replica.program.signal(15)
            _ = try replica.program.wait(for: "a Lease without a holder") {
                try installation.kubectl.run(["get"] + lease + ["-o", "jsonpath=\(path)"]).output.isEmpty ? true : nil
            }
            #expect(try replica.probe("/readyz").status == 200, "kept during the grace, for kube-proxy")
            #expect(try !replica.isLeader)
            replica.program.signal(15)
            #expect(try replica.program.waitForEnd(within: .seconds(10)) == .exited(code: 143))
        }
    }
}
