internal import FoundationEssentials
internal import Glibc
internal import Platform
internal import TestAPIServer
internal import TestSupport
internal import Testing

extension Process {
    /// Replicas that start while their API server is away, with `--cache-directory`.
    @Suite("the last configuration on disk", .timeLimit(.minutes(3)))
    struct CacheTests {
        private let installation: TestInstallation
        private let cache: CacheFolder

        init() throws {
            (installation, cache) = (try TestInstallation(), CacheFolder(in: try TemporaryDirectory()))
        }

        /// `flags` nil: those of a cache without keys.
        private func replica(_ flags: [String]? = nil) throws -> Replica {
            try installation.replica(flags: flags ?? cache.flags, environment: ServedCluster.environment)
        }

        private func key(_ byte: UInt8) throws -> String {
            try cache.folder.write(Data(repeating: byte, count: 32).base64EncodedString(), to: "key\(byte)")
        }

        private func detail(_ replica: Replica) throws -> String { try replica.probe("/readyz?verbose").body }

        @Test("killed and started without an API server it serves, says so, and goes over to the server without a cut")
        func restart() throws {
            let (blue, green) = (try EchoBackend("blue"), try EchoBackend("green"))
            let first = try replica()
            try first.waitUntilReady()
            let (port, probe) = try ServedCluster.serve(installation, first, steady: blue, probe: green)
            _ = try first.program.wait(for: "the ports in the cache") {
                let text = String(decoding: (try? readFile(cache.file)) ?? [], as: UTF8.self)
                return text.contains("\"targetPort\":\(port)") && text.contains("\"targetPort\":\(probe)") ? true : nil
            }
            installation.server.stopListening()
            first.program.signal(SIGKILL)
            try first.program.waitForEnd(within: .seconds(10))

            try installation.server.put(
                yaml: ClusterManifest.service("steady", address: ServedCluster.address, port: green.port))
            let second = try replica()
            try second.waitUntilReady()
            #expect(try Greeting.receive(from: try PlainClient(port: port)).backend == "blue")
            let client = try PlainClient(port: probe)
            #expect(try Greeting.receive(from: client).backend == "green")
            let metrics = try second.metrics()
            #expect(metrics.value("sluice_cache_serving") == 1)
            #expect(metrics.value("sluice_cache_loads", ["result": "ok"]) == 1)
            #expect(metrics.value("sluice_watch_synced", ["resource": "tcproutes"]) == 0)
            #expect(metrics.sum("sluice_leader") == 0 && metrics.sum("sluice_status_updates_total") == 0)
            let words = "serving what the API server had"
            #expect(try detail(second).contains("\"cache\":\"\(words)"))
            #expect(try second.fetch("/status", from: second.admin).body.contains(words))
            #expect(try second.config().body.contains("\"cachedAsOf\""))
            #expect(second.logLine(["the API server has not answered: what is in the cache is served", "age"]) != nil)

            try installation.server.listenAgain()
            _ = try second.program.wait(for: "the server's endpoint", within: .seconds(30)) {
                try Greeting.receive(from: try PlainClient(port: port)).backend == "green" ? true : nil
            }
            try second.waitForMetrics("no cache") { $0.value("sluice_cache_serving") == 0 }
            try client.send(Array("still here\n".utf8))
            #expect(try client.receiveLine() == "still here")
            #expect(try second.metrics().sum("sluice_config_sessions_disrupted_total") == 0)
            #expect(try !detail(second).contains(words))
            client.close()
            try second.stop()
        }

        @Test("with keys it ends TLS; without them, or with others, it refuses and says why")
        func secrets() throws {
            let name = "db.example.com"
            let backend = try EchoBackend("echo")
            try installation.serveTLS(name, with: try TestPKI.makeCA().issue(dnsNames: [name]), by: backend)
            try installation.kubectl.apply(
                ClusterManifest.route("plain", port: 9001),
                ClusterManifest.service("plain", address: ServedCluster.address, port: backend.port))
            let key = try self.key(1)
            let first = try replica(cache.flags(sealedBy: key))
            try first.waitUntilReady()
            let port = try installation.waitForPort(of: "echo", by: first)
            let plain = try installation.waitForPort(of: "plain", port: 9001, by: first)
            func subject(_ replica: Replica) throws {
                _ = try replica.program.wait(for: "a handshake") {
                    try SClient(port: port, ["-servername", name]).subject == name ? true : nil
                }
            }
            try subject(first)
            try first.stop()
            #expect(String(decoding: try readFile(cache.file), as: UTF8.self).contains("tls.key") == false)
            installation.server.stopListening()

            let second = try replica(cache.flags(sealedBy: key))
            try second.waitUntilReady()
            try subject(second)
            try second.stop()

            let third = try replica(cache.flags + ["--cache-key-file", key])
            try third.waitUntilReady()
            #expect(try Greeting.receive(from: try PlainClient(port: plain)).backend == "echo")
            #expect(try SClient(port: port, ["-servername", name]).subject == nil)
            #expect(
                try third.config().body.contains(
                    "Secret default/cert could not be read: the API server has not answered, and the cache does not have"
                ))
            try third.stop()

            let fourth = try replica(cache.flags + ["--cache-key-file", try self.key(2)])
            try fourth.waitForLog("the cache is not read, as if there were none", "sealed with a key that is not in")
            #expect(try fourth.probe("/readyz").status == 503)
            // The line comes before the count.
            try fourth.waitForMetrics("the refusal") { $0.value("sluice_cache_loads", ["result": "refused"]) == 1 }
            try fourth.stop()
        }

        @Test("a full disk: cache, access log and events lose what is new, keep what is old, and go on with new room")
        func fullDisk() throws {
            let disk = cache.folder.path + "/disk"
            #expect(mkdir(disk, 0o755) == 0)
            let script = "mount -t tmpfs -o size=1m,mode=0755 tmpfs \(disk); exec \"$@\""
            let user = Installation.isRoot ? [] : ["--user", "--map-root-user"]
            let (blue, green) = (try EchoBackend("blue"), try EchoBackend("green"))
            let replica = try installation.replica(
                flags: [
                    "--cache-directory", disk + "/cache", "--access-log", disk + "/access.log", "--event-sink",
                    "http://127.0.0.1:\(try Ports.free())/", "--event-spool", disk + "/spool",
                ], environment: ServedCluster.environment,
                surrounding: [try Installation.program("unshare"), "--mount"] + user + ["sh", "-ec", script, "sh"])
            try replica.waitUntilReady()
            let inside = "/proc/\(replica.program.identifier)/root\(disk)"
            let (port, probe) = try ServedCluster.serve(installation, replica, steady: blue, probe: green)
            func cached() -> String {
                String(decoding: (try? readFile(inside + "/cache/cluster.cache")) ?? [], as: UTF8.self)
            }
            func cachedPort(_ backend: EchoBackend) -> Bool {
                cached().split(separator: "\n").contains {
                    $0.hasPrefix("default/probe-1 ") && $0.contains("\"port\":\(backend.port)")
                }
            }
            func errors(_ metrics: Metrics) -> Double {
                metrics.sum("sluice_cache_writes_total", ["result": "error"])
            }
            _ = try replica.program.wait(for: "all in the cache") {
                cached().contains("\"targetPort\":\(probe)") && cachedPort(green) ? true : nil
            }
            let before = try readFile(inside + "/cache/cluster.cache")

            let filling = try run(["dd", "if=/dev/zero", "of=\(inside)/filler", "bs=4096"])
            #expect(filling.errors.contains("No space left"))
            try installation.server.put(
                yaml: ClusterManifest.service("probe", address: ServedCluster.address, port: blue.port))
            try replica.waitForMetrics("failed writes", within: .seconds(20)) { errors($0) >= 2 }
            #expect(try readFile(inside + "/cache/cluster.cache") == before)
            #expect(try detail(replica).contains("cannot be written: cluster.cache.new: No space left on device"))
            _ = try replica.program.wait(for: "the cache cannot be written, the file that is there stays") {
                replica.logLine(["the cache cannot be written, the file that is there stays"]) != nil ? true : nil
            }
            for _ in 1...30 { #expect(try Greeting.receive(from: try PlainClient(port: port)).backend == "blue") }
            try replica.waitForMetrics("dropped lines and events", within: .seconds(20)) {
                $0.sum("sluice_access_log_dropped_total") > 0
                    && $0.sum("sluice_events_dropped_total", ["reason": "spool_error"]) > 0
            }
            _ = try replica.program.wait(for: "access log cannot be written") {
                replica.logLine(["access log cannot be written"]) != nil ? true : nil
            }
            #expect(try Greeting.receive(from: try PlainClient(port: probe)).backend == "blue", "changes are served")

            #expect(unlink(inside + "/filler") == 0)
            _ = try replica.program.wait(for: "the change in the cache", within: .seconds(20)) {
                cachedPort(blue) ? true : nil
            }
            _ = try replica.program.wait(for: "the cache is written again") {
                replica.logLine(["the cache is written again"]) != nil ? true : nil
            }
            #expect(try listDirectory(inside + "/cache") == ["cluster.cache"])
            let pending = try replica.metrics().sum("sluice_events_pending")
            let size = try FileStatus(of: inside + "/access.log").size
            #expect(try Greeting.receive(from: try PlainClient(port: port)).backend == "blue")
            try replica.waitForMetrics("an event that waits") { $0.sum("sluice_events_pending") > pending }
            _ = try replica.program.wait(for: "a line in the access log") {
                try FileStatus(of: inside + "/access.log").size > size ? true : nil
            }
            let last = try readFile(inside + "/access.log").split(separator: UInt8(ascii: "\n")).last ?? []
            #expect(throws: Never.self) { try JSONDecoder().decode(AccessLine.self, from: Data(last)) }
            try replica.stop()
        }

        private struct AccessLine: Decodable { var event, close_reason: String }
    }
}
