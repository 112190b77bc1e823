internal import Glibc
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    /// Three servers and a sentinel; the check of a BackendPolicy finds the master, and the gateway follows it.
    @Suite("Redis failover", .timeLimit(.minutes(3)))
    struct RedisFailoverTests {
        private let group: RedisGroup
        private let port: UInt16
        private let sluice: Sluice

        /// A server that says that it is master has to say so for longer than sentinel lets it.
        private static let interval = 0.1
        private static let healthyThreshold = 150

        init() throws {
            group = try RedisGroup(count: 3)
            port = try Ports.free()
            sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "redis", port: port)]),
                Manifest.tcpRoute("redis", to: "redis", section: "redis"),
                Manifest.service("redis", at: group.servers.map(\.port)), RedisFailoverTests.policy)
        }

        private static let policy = """
            apiVersion: sluice.dev/v1alpha1
            kind: BackendPolicy
            metadata: {name: redis-master}
            spec:
              targetRefs: [{group: "", kind: Service, name: redis, sectionName: main}]
              healthCheck:
                active:
                  type: TCP
                  timeout: 500ms
                  interval: \(Int(interval * 1000))ms
                  unhealthyThreshold: 2
                  healthyThreshold: \(healthyThreshold)
                  tcp:
                    steps:
                    - send: {type: Text, text: "PING\\r\\n"}
                    - expect: {type: Text, text: "+PONG"}
                    - send: {type: Text, text: "INFO replication\\r\\n"}
                    - expect: {type: Text, text: "role:master"}
                    - send: {type: Text, text: "QUIT\\r\\n"}
                    - expect: {type: Text, text: "+OK"}
              onEndpointUnhealthy: Close
            ---

            """

        private var healthy: Double {
            get throws {
                try sluice.metrics().sum("sluice_backend_endpoints", ["backend": "redis", "state": "healthy"])
            }
        }
        private var recoveries: Double {
            get throws {
                try sluice.metrics().sum(
                    "sluice_backend_health_transitions_total", ["backend": "redis", "to": "healthy"])
            }
        }

        @Test(
            "the master is killed: writes go to the new one, and the old one, which comes back as master, is held out")
        func killed() throws {
            #expect(try healthy == 1)
            let (old, recoveriesBefore) = (group.servers[0], try recoveries)
            let writer = try RedisWriter(port: port)
            _ = try sluice.program.wait(for: "writes") { writer.writes.count > 100 ? true : nil }
            let killed = MonotonicTime.now()
            try old.kill()
            let promoted = try group.promoted(insteadOf: old.port)
            let promotedAt = MonotonicTime.now()
            _ = try sluice.program.wait(for: "the check to see the new master", within: .seconds(40)) {
                try recoveries > recoveriesBefore ? true : nil
            }
            let seenAt = MonotonicTime.now()
            _ = try sluice.program.wait(for: "a good write", within: .seconds(40)) {
                writer.writes.last?.server == promoted ? true : nil
            }

            // It comes back and says that it is master, until sentinel has it follow the new one.
            let returned = try RedisGroup.restarted(at: old.port)
            #expect(try returned.role == "master")
            _ = try sluice.program.wait(for: "sentinel to demote the old master", within: .seconds(60)) {
                try returned.role == "slave" ? true : nil
            }
            let writes = try writer.stop()
            #expect(try recoveries == recoveriesBefore + 1, "the old master was let in")
            #expect(try healthy == 1)

            let after = writes.filter { $0.begun > seenAt }
            let strangers = after.filter { $0.server != promoted }
            #expect(after.count > 100 && strangers.isEmpty, "\(strangers.prefix(5)) of \(after.count)")
            #expect(Set(writes.compactMap(\.server)) == [old.port, promoted])
            #expect(writes.allSatisfy { $0.server != old.port || $0.begun < killed })
            try expectKept(writes, by: promoted)
            report(writes, killed: killed, promoted: promotedAt, port: promoted)
            try sluice.stop()
        }

        @Test("the master stands still: its sessions are closed, and when it goes on nothing is written to it")
        func halted() throws {
            let old = group.servers[0]
            let session = try PlainClient(port: port)
            #expect(try RedisWriter.write(0, over: session) == old.port)
            old.signal(SIGSTOP)
            _ = try session.waitForEnd()
            let promoted = try group.promoted(insteadOf: old.port)
            _ = try sluice.program.wait(for: "a write to the new master", within: .seconds(40)) {
                (try? RedisWriter.write(1, at: port)) == promoted ? true : nil
            }
            let writer = try RedisWriter(port: port)
            old.signal(SIGCONT)
            _ = try sluice.program.wait(for: "sentinel to demote the old master", within: .seconds(60)) {
                try old.role == "slave" ? true : nil
            }
            let writes = try writer.stop()
            #expect(writes.count > 100 && writes.allSatisfy { $0.server == promoted })
            try expectKept(writes, by: promoted)
            let closed = try sluice.metrics().sum(
                "sluice_backend_sessions_closed_total", ["backend": "redis", "reason": "endpoint_unhealthy"])
            #expect(closed == 1)
            try sluice.stop()
        }

        /// Everything that the new master acknowledged is there.
        private func expectKept(_ writes: [RedisWriter.Write], by server: UInt16) throws {
            let own = writes.filter { $0.server == server }
            let client = try PlainClient(port: server)
            defer { client.close() }
            for write in own.suffix(500) {
                try client.send("GET written:\(write.number)\r\n")
                let text = "\(write.number)"
                let expected = "$\(text.count)\r\n\(text)\r\n"
                let answer = String(decoding: try client.receive(exactly: expected.utf8.count), as: UTF8.self)
                #expect(answer == expected)
            }
        }

        /// What a reader of the tests' output, and docs/backend-policy.md, may want to know.
        private func report(
            _ writes: [RedisWriter.Write], killed: MonotonicTime, promoted: MonotonicTime, port: UInt16
        ) {
            guard let last = writes.last(where: { $0.begun < killed && $0.server != nil }),
                let first = writes.first(where: { $0.server == port })
            else { return }
            func milliseconds(_ from: MonotonicTime, _ to: MonotonicTime) -> Int { Int((to - from) / .milliseconds(1)) }
            print(
                "redis failover: without a master for \(milliseconds(last.ended, first.ended)) ms,",
                "first good write \(milliseconds(promoted, first.ended)) ms after the promotion")
        }
    }
}
