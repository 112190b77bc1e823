internal import Glibc
internal import Platform
internal import Primitives
internal import TestAPIServer
internal import TestSupport
internal import Testing

extension Process {
    /// What goes wrong between a replica and its API server. 100 connections under traffic, and new ones beside them,
    /// must not notice; afterwards changes arrive again. `make nightly` takes the real time for it.
    @Suite("faults of a cluster", .timeLimit(.minutes(30)))
    struct ClusterFaultTests {
        /// Longer than every timeout and pause in play: a watch is opened for at most ten minutes.
        private static let outage = Duration.seconds(11 * 60) * ServedCluster.clock
        /// How long something lasts that is not about time.
        private static let moment = Duration.seconds(2)

        private func pass(_ duration: Duration, _ step: () throws -> Void = {}) throws {
            let end = MonotonicTime.now() + duration
            while MonotonicTime.now() < end {
                try step()
                usleep(20_000)
            }
        }

        @Test("the API server restarts, with its memory of the past and without", arguments: ServedCluster.Way.allCases)
        func restart(way: ServedCluster.Way) throws {
            let cluster = try ServedCluster(way)
            for keepsPast in [true, false, true] {
                try cluster.installation.server.restart(keepsWatchCache: keepsPast)
                try cluster.expectChangesArrive()
                try cluster.expectStillServing()
            }
            try cluster.finish()
        }

        @Test(
            "the API server cannot be reached for longer than every timeout and pause",
            arguments: ServedCluster.Way.allCases)
        func unreachable(way: ServedCluster.Way) throws {
            let cluster = try ServedCluster(way)
            try cluster.replica.waitForMetrics("leadership") { $0.sum("sluice_leader") == 1 }
            cluster.installation.server.stopListening()
            try cluster.change()
            try pass(Self.outage) { try cluster.expectStillServing() }
            #expect(try !cluster.replica.isLeader, "nobody leads who cannot renew the Lease")
            let detail = try cluster.replica.probe("/readyz?verbose").body
            #expect(detail.contains("not this replica") && detail.contains("longest silence"), "\(detail)")
            #expect(!cluster.isUpToDate)
            try cluster.installation.server.listenAgain()
            try cluster.waitUntilUpToDate(within: .seconds(60) * max(ServedCluster.clock, 0.3))
            try cluster.replica.waitForMetrics("leadership again", within: .seconds(60)) {
                $0.sum("sluice_leader") == 1
            }
            try cluster.finish()
        }

        @Test("the API server takes connections and says nothing", arguments: ServedCluster.Way.allCases)
        func silent(way: ServedCluster.Way) throws {
            let cluster = try ServedCluster(way)
            var faults = Faults()
            (faults.silencesWatches, faults.latency) = (true, .seconds(3600))
            cluster.installation.server.faults = faults
            try cluster.change()
            try pass(Self.outage) { try cluster.expectStillServing() }
            #expect(!cluster.isUpToDate)
            cluster.installation.server.faults = Faults()
            cluster.installation.server.dropConnections()
            try cluster.waitUntilUpToDate(within: .seconds(60))
            try cluster.finish()
        }

        @Test(
            "watches that stall are noticed and opened again, on a fresh connection",
            arguments: ServedCluster.Way.allCases)
        func stalled(way: ServedCluster.Way) throws {
            let cluster = try ServedCluster(way)
            let restarts = { (metrics: Metrics) in
                metrics.sum("sluice_watch_restarts_total", ["resource": "endpointslices", "reason": "error"])
            }
            let before = restarts(try cluster.replica.metrics())
            var faults = Faults()
            faults.silencesWatches = true
            cluster.installation.server.faults = faults
            try cluster.change()
            // The connection stands: only the stall detector ends a watch that says nothing.
            try cluster.replica.waitForMetrics(
                "a watch opened again", within: .seconds(10) + .seconds(400) * ServedCluster.clock
            ) { restarts($0) > before }
            try cluster.expectStillServing()
            #expect(!cluster.isUpToDate)
            cluster.installation.server.faults = Faults()
            try cluster.waitUntilUpToDate(within: .seconds(60))
            try cluster.finish()
        }

        @Test(
            "the API server answers 500 for everything, 503 and 429", arguments: [500, 503, 429],
            ServedCluster.Way.allCases)
        func failing(code: Int, way: ServedCluster.Way) throws {
            let cluster = try ServedCluster(way)
            cluster.installation.server.faults = .failing(code, retryAfter: code == 500 ? nil : 1)
            cluster.installation.server.closeWatches()
            func failures(_ metrics: Metrics, _ more: [String: String] = [:]) -> Double {
                metrics.sum("sluice_kubernetes_requests_total", more.merging(["code": "\(code)"]) { $1 })
            }
            try cluster.replica.waitForMetrics("failed watches") { failures($0, ["resource": "endpointslices"]) > 0 }
            try cluster.change()
            try pass(Self.moment) { try cluster.expectStillServing() }
            #expect(!cluster.isUpToDate)
            cluster.installation.server.faults = Faults()
            try cluster.waitUntilUpToDate(within: .seconds(60))
            let failed = failures(try cluster.replica.metrics())
            #expect(failed < 2000, "pauses grow between attempts")
            try cluster.finish()
        }

        @Test(
            "watches are closed every 100 ms: nothing is listed again, and nothing is missed",
            arguments: ServedCluster.Way.allCases)
        func closing(way: ServedCluster.Way) throws {
            let cluster = try ServedCluster(way)
            let lists = { try cluster.replica.metrics().sum("sluice_kubernetes_requests_total", ["verb": "list"]) }
            var faults = Faults()
            faults.closesWatchesAfter = .milliseconds(100)
            cluster.installation.server.faults = faults
            let before = try lists()
            for _ in 1...10 {
                try cluster.expectChangesArrive(within: .seconds(10))
                try pass(.milliseconds(150))
            }
            #expect(try lists() == before)
            #expect(
                try cluster.replica.metrics().sum("sluice_watch_restarts_total", ["reason": "eof"]) > 10)
            cluster.installation.server.faults = Faults()
            try cluster.finish()
        }

        @Test(
            "the past is compacted while things change: the old state serves until the new list is whole",
            arguments: ServedCluster.Way.allCases)
        func compacting(way: ServedCluster.Way) throws {
            let cluster = try ServedCluster(way)
            for _ in 1...20 {
                try cluster.change()
                cluster.installation.server.compact()
                cluster.installation.server.closeWatches()
                try cluster.change()
                cluster.installation.server.compact()
                try cluster.expectStillServing()
            }
            try cluster.waitUntilUpToDate()
            #expect(
                try cluster.replica.metrics().sum("sluice_watch_restarts_total", ["reason": "expired"]) > 0)
            try cluster.finish()
        }

        @Test("the token is replaced in its file, and the old one refused", arguments: ServedCluster.Way.allCases)
        func token(way: ServedCluster.Way) throws {
            let cluster = try ServedCluster(way)
            for number in 2...4 {
                try cluster.installation.rotateToken(to: "sluice-\(number)")
                cluster.installation.server.dropConnections()
                try cluster.expectChangesArrive()
            }
            try cluster.finish()
        }

        @Test("the token expires before a new one is there", arguments: ServedCluster.Way.allCases)
        func expiredToken(way: ServedCluster.Way) throws {
            let cluster = try ServedCluster(way)
            var faults = Faults()
            faults.refusesTokens = true
            cluster.installation.server.faults = faults
            cluster.installation.server.dropConnections()
            try cluster.change()
            try pass(Self.moment) { try cluster.expectStillServing() }
            #expect(!cluster.isUpToDate)
            cluster.installation.server.faults = Faults()
            try cluster.installation.rotateToken(to: "sluice-new")
            try cluster.waitUntilUpToDate(within: .seconds(60))
            try cluster.finish()
        }

        @Test("the serving certificate is replaced: by one of the same authority, then by one of another")
        func certificate() throws {
            let cluster = try ServedCluster(.front)
            let front = try #require(cluster.front)
            for _ in 1...2 {
                try front.restart()
                try cluster.expectChangesArrive()
            }
            let next = try TestPKI.makeCA("The next authority")
            try front.restart(authority: next)
            try cluster.change()
            try pass(Self.moment) { try cluster.expectStillServing() }
            #expect(!cluster.isUpToDate, "nothing is taken from a server whose certificate is not verified")
            try cluster.trust(next.pem)
            try cluster.waitUntilUpToDate(within: .seconds(60))
            try cluster.finish()
        }

        @Test(
            "what does not parse: a line that is no JSON, an event without an object, a route that is no route",
            arguments: [
                "}{ nonsense", #"{"type":"MODIFIED"}"#, #"{"type":"SURPRISE","object":{"kind":"TCPRoute"}}"#,
                #"{"type":"MODIFIED","object":{"apiVersion":"gateway.networking.k8s.io/v1","kind":"TCPRoute","#
                    + #""metadata":{"name":"steady","namespace":"default","uid":"x","resourceVersion":"1"},"#
                    + #""spec":{"rules":17}}}"#,
            ])
        func garbage(line: String) throws {
            let cluster = try ServedCluster()
            var faults = Faults()
            (faults.garbage, faults.pathContains) = (line, "/tcproutes")
            cluster.installation.server.faults = faults
            try pass(Self.moment) { try cluster.expectStillServing() }
            // Types of events that nobody knows yet are passed over; all else is counted.
            #expect(
                try line.contains("SURPRISE")
                    || cluster.replica.metrics().sum("sluice_watch_decode_errors_total", ["resource": "tcproutes"])
                        + cluster.replica.metrics().sum("sluice_watch_restarts_total", ["resource": "tcproutes"]) > 0
            )
            cluster.installation.server.faults = Faults()
            try cluster.expectChangesArrive(within: .seconds(60))
            try cluster.finish()
        }

        @Test("of two replicas the leader is killed: the other one serves on, and writes")
        func leaderKilled() throws {
            try #require(Surrounding.allowsNetworks, "this host allows no network of its own for the second replica")
            let cluster = try ServedCluster(leader: leadingReplica)
            let (installation, leader) = (cluster.installation, try #require(cluster.leader))
            #expect(try leader.isLeader)
            #expect(try !cluster.replica.isLeader)
            leader.program.signal(SIGKILL)
            try leader.program.waitForEnd(within: .seconds(10))
            try installation.kubectl.apply(ClusterManifest.route("late", port: 9002))
            _ = try cluster.replica.program.wait(for: "a status by the other replica", within: .seconds(60)) {
                try installation.kubectl.condition("Programmed", of: "gateway", "late").hasPrefix("True") ? true : nil
            }
            #expect(try cluster.replica.isLeader)
            try cluster.finish()
        }

        /// In a network of its own, because two replicas of one host cannot both bind what a Service records. It
        /// reaches the server by two relays and a unix socket.
        private func leadingReplica(_ installation: TestInstallation) throws -> Replica {
            let folder = try TemporaryDirectory()
            let socket = "\(folder.path)/server"
            let outside = try Program(
                "relay", try Installation.peer("relay.py", "unix:\(socket)", "tcp:\(installation.server.address)"))
            _ = try outside.line(after: "relays")
            let inside = try Installation.peer("relay.py", "tcp:\(installation.server.address)", "unix:\(socket)")
            let surrounding =
                try Surrounding.network() + ["sh", "-ec", "\(inside.joined(separator: " ")) & exec \"$@\"", "sh"]
            let replica = try installation.replica(
                "sluice-leader", environment: ServedCluster.environment, surrounding: surrounding,
                companions: [outside, folder])
            try replica.waitUntilReady()
            try replica.waitForMetrics("leadership", within: .seconds(30)) { $0.sum("sluice_leader") == 1 }
            return replica
        }
    }
}
