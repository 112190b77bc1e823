internal import Glibc
internal import Platform
internal import TestAPIServer
internal import TestSupport
internal import Testing

extension Process {
    /// A replica whose wall clock is set while it runs, beside one whose clock is right.
    @Suite("the wall clock of a replica is set", .timeLimit(.minutes(3)))
    struct ClusterClockTests {
        private let clock: ShiftedClock
        private let installation: TestInstallation
        private let cache: CacheFolder

        /// Towards the API server all is faster, and yet so slow that a busy machine loses no Lease by it.
        private static let environment = ["SLUICE_TEST_CLOCK_FACTOR": "0.2"]

        init() throws {
            (clock, installation) = (try ShiftedClock(), try TestInstallation())
            cache = CacheFolder(in: try TemporaryDirectory())
        }

        private func replica(_ flags: String...) throws -> Replica {
            try installation.replica(
                flags: cache.flags + flags,
                environment: ClusterClockTests.environment.merging(clock.environment) { first, _ in first })
        }

        private func lease(_ field: String) throws -> String {
            try installation.kubectl.value(
                "{.spec.\(field)}", of: "lease", "sluice.dev-gateway-controller", "-n", "sluice-system")
        }

        @Test("it goes on leading, writes what changed with the new time, and hears of certificates that end")
        func leader() throws {
            let (blue, green) = (try EchoBackend("blue"), try EchoBackend("green"))
            let first = try replica()
            try first.waitUntilReady()
            try first.waitForMetrics("the Lease", within: .seconds(20)) { $0.sum("sluice_leader") == 1 }
            let (port, _) = try ServedCluster.serve(installation, first, steady: blue, probe: green)
            let name = "db.example.com"
            try installation.serveTLS(name, with: try TestPKI.makeCA().issue(dnsNames: [name]), by: blue)
            let client = try PlainClient(port: port)
            _ = try client.receiveLine()
            // It finds the port taken, and waits for the Lease.
            let second = try installation.replica("sluice-b", environment: ClusterClockTests.environment)
            try second.waitUntilReady(within: .seconds(60))
            func told() throws -> Bool {
                try installation.kubectl.run(["get", "gateway", "echo", "-o", "jsonpath={.status.listeners}"])
                    .output.contains("the certificate has expired")
            }
            _ = try first.program.wait(for: "a status") {
                try installation.kubectl.run(["get", "gateway", "echo", "-o", "jsonpath={.status.listeners}"]).output
                    .contains("Programmed") ? true : nil
            }
            #expect(try !told())
            let restarts = try first.metrics().sum("sluice_watch_restarts_total", ["reason": "error"])
            let holder = try lease("holderIdentity")
            let transitions = try lease("leaseTransitions")

            for (round, shift) in [Duration.days(2), .days(-1), .days(3653), .zero].enumerated() {
                try clock.set(off: shift)
                try client.exchange("at \(shift)")
                // The Lease is renewed with the new time, and nobody takes it for old.
                _ = try first.program.wait(for: "a Lease of then, \(shift)", within: .seconds(20)) {
                    try lease("renewTime").hasPrefix(clock.day(off: shift)) ? true : nil
                }
                _ = try first.program.wait(for: "a word on the certificate at \(shift)", within: .seconds(20)) {
                    try told() == (shift > .days(1)) ? true : nil
                }
                // Changes are seen, and written down with the new time.
                try installation.server.put(yaml: ClusterManifest.route("new-\(round)", port: UInt16(9100 + round)))
                _ = try first.program.wait(for: "a condition of then, \(shift)", within: .seconds(20)) {
                    let path = "jsonpath={.status.conditions[*].lastTransitionTime}"
                    return try installation.kubectl.run(["get", "gateway", "new-\(round)", "-o", path]).output
                        .contains(clock.day(off: shift)) ? true : nil
                }
                let detail = try first.probe("/readyz?verbose").body
                #expect(detail.contains("heard from the API server 0 s ago"), "\(shift): \(detail)")
                #expect(try second.metrics().sum("sluice_leader") == 0)
            }
            #expect(try lease("holderIdentity") == holder)
            #expect(try lease("leaseTransitions") == transitions)
            let metrics = try first.metrics()
            #expect(metrics.sum("sluice_watch_restarts_total", ["reason": "error"]) == restarts)
            #expect(metrics.sum("sluice_config_sessions_disrupted_total") == 0)
            try client.exchange("to the end")
            client.close()
            try first.stop()
            try second.stop()
        }

        @Test("the cache's age goes by the time that is told: too old, of the future, and right again")
        func age() throws {
            let (blue, green) = (try EchoBackend("blue"), try EchoBackend("green"))
            let first = try replica()
            try first.waitUntilReady()
            let (port, _) = try ServedCluster.serve(installation, first, steady: blue, probe: green)
            try first.waitForMetrics("a cache", within: .seconds(20)) {
                $0.sum("sluice_cache_writes_total", ["result": "ok"]) > 0
            }
            try first.stop()
            installation.server.stopListening()

            try clock.set(off: .days(3653))
            let late = try replica("--cache-max-age", "24h")
            try late.waitForLog("the cache is not read, as if there were none", "more than --cache-max-age")
            #expect(try late.probe("/readyz").status == 503)
            // A clock that is put right does not make it read what it refused: it is restarted, or the server comes.
            try late.stop()

            for shift in [Duration.days(-1), .zero] {
                try clock.set(off: shift)
                let next = try replica("--cache-max-age", "24h")
                try next.waitUntilReady()
                #expect(try Greeting.receive(from: try PlainClient(port: port)).backend == "blue")
                let detail = try next.probe("/readyz?verbose").body
                let age = shift == .zero ? "" : "0 s ago"
                #expect(detail.contains("serving what the API server had \(age)"), "\(detail)")
                try next.stop()
            }
        }
    }
}
