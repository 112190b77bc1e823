internal import FoundationEssentials
internal import Glibc
internal import Inspection
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    /// The folders of examples/broken: whatever is asked names the same cause in the same words.
    @Suite("broken set-ups", .timeLimit(.minutes(5)))
    struct BrokenSetupsTests {
        @Test("log, metrics, explain, page and check name one cause in the same words", arguments: BrokenSetup.refusing)
        func refused(setup: BrokenSetup) throws {
            let cause = try #require(Cause.named(setup.cause))
            let scene = try BrokenScene(setup)
            let sluice = try Sluice.ready(scene.text)
            try scene.refuse()

            try sluice.waitForAccessLine("\"event\":\"close\"", "\"close_reason\":\"\(setup.cause)\"")
            try sluice.waitForMetrics("the reason") { metrics in
                metrics.sum("sluice_listener_connections_rejected_total", ["reason": setup.cause]) == 1
                    || metrics.sum("sluice_tcp_connections_closed_total", ["reason": setup.cause]) == 1
            }
            try expectExplained(setup, cause, sluice)
            try expectShown(setup, cause, sluice)
            let check = try run([try Installation.sluice(), "check", sluice.manifests.path])
            #expect(check.output.contains("cause \(setup.cause)") == setup.isDecided, "\(check.output)")
            if setup.isDecided { #expect(check.output.contains(cause.meaning), "\(check.output)") }
            try sluice.stop()
        }

        private func expectExplained(_ setup: BrokenSetup, _ cause: Cause, _ sluice: Sluice) throws {
            let words = try explain(setup.route, sluice)
            let text = try run(words)
            #expect(text.output.contains("cause \(setup.cause)"), "\(text.output)\(text.errors)")
            #expect(text.output.contains(cause.meaning), "\(text.output)")
            #expect(text.output.contains(": 1 connection in the last ten minutes, 1 since the start"), "\(text.output)")
            let json = try run(words + ["-o", "json"])
            let explanation = try JSONDecoder().decode(Explanation.self, from: Data(json.output.utf8))
            #expect(explanation.links.contains { $0.cause == setup.cause && $0.advice != nil })
            #expect(text.ending == .exited(code: explanation.isServed ? 0 : 1))
        }

        /// What the status page is made of.
        private func expectShown(_ setup: BrokenSetup, _ cause: Cause, _ sluice: Sluice) throws {
            let live = try sluice.program.wait(for: "the refusal in /traffic", within: .seconds(10)) {
                let body = try sluice.fetch("/traffic", from: sluice.admin).body
                let live = try JSONDecoder().decode(LiveTraffic.self, from: Data(body.utf8))
                return live.refusals.isEmpty ? nil : live
            }
            let refusal = try #require(live.refusals.first { $0.reason == setup.cause })
            #expect(refusal.meaning == cause.meaning && refusal.advice == cause.advice)
            #expect(refusal.minutes.reduce(0, +) == 1)
            let status = try sluice.fetch("/status", from: sluice.admin).body
            let tree = try JSONDecoder().decode(StatusTree.self, from: Data(status.utf8))
            #expect(tree.gateways.map(\.name) == ["edge"])
            #expect(tree.routes.map(\.name) == ["redis"])
        }

        @Test("where nothing listens the condition is the cause", arguments: BrokenSetup.unbound)
        func unbound(setup: BrokenSetup) throws {
            let words = try #require(setup.words)
            let scene = try BrokenScene(setup)
            let sluice = try Sluice.ready(scene.text)
            try scene.refuse()
            let explain = try run(try explain(setup.route, sluice))
            #expect(explain.ending == .exited(code: 1))
            #expect(explain.output.contains(words), "\(explain.output)\(explain.errors)")
            let check = try run([try Installation.sluice(), "check", sluice.manifests.path])
            #expect(check.output.contains(words), "\(check.output)")
            #expect(try sluice.fetch("/status", from: sluice.admin).body.contains(words))
            try sluice.stop()
        }

        @Test("a policy that conflicts is named with the older one, in the condition's words")
        func conflict() throws {
            let words = "Gateway infra/edge has the older ClientPolicy infra/a-older"
            let scene = try scene("policy-conflict")
            let sluice = try Sluice.ready(scene.text)
            let explain = try run(try explain("clientpolicy infra/b-younger", sluice))
            #expect(explain.ending == .exited(code: 1))
            #expect(explain.output.contains("cause Conflicted") && explain.output.contains(words), "\(explain.output)")
            let check = try run([try Installation.sluice(), "check", sluice.manifests.path])
            #expect(check.ending == .exited(code: 1))
            #expect(check.output.contains("cause Conflicted") && check.output.contains(words), "\(check.output)")
            #expect(try sluice.fetch("/status", from: sluice.admin).body.contains(words))
            try sluice.stop()
        }

        @Test("the step at which a health check fails is named by explain and by the page")
        func step() throws {
            let scene = try scene("health-check")
            let sluice = try Sluice.ready(scene.text)
            let step = "step 3 (expect \"master\")"
            _ = try sluice.program.wait(for: "the failed check", within: .seconds(10)) {
                let tree = try JSONDecoder().decode(
                    StatusTree.self, from: Data(try sluice.fetch("/status", from: sluice.admin).body.utf8))
                let failures = tree.backends.flatMap(\.endpoints).compactMap(\.failure)
                return failures.contains { $0.contains(step) } ? true : nil
            }
            let explain = try run(try explain("svc infra/redis", sluice))
            #expect(explain.output.contains("its only endpoint does not pass: \(step)"), "\(explain.output)")
            try sluice.stop()
        }

        private func scene(_ name: String) throws -> BrokenScene {
            try BrokenScene(try #require(BrokenSetup.refusing.first { $0.name == name }))
        }

        /// The command that explains an object, such as `svc infra/redis`.
        private func explain(_ object: String, _ sluice: Sluice) throws -> [String] {
            let words = object.split(separator: " ").map(String.init)
            return [try Installation.sluice(), "explain"] + words + ["--admin-address", "\(sluice.admin)"]
        }
    }
}
