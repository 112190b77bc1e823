internal import Glibc
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    @Suite("access log", .timeLimit(.minutes(2)))
    struct AccessLogTests {
        private func connect(_ port: UInt16, _ times: Int) throws {
            for _ in 0..<times {
                let client = try PlainClient(port: port)
                #expect(try Greeting.receive(from: client).backend == "one")
            }
        }

        private func lines(_ path: String) -> [Substring] {
            ((try? readFile(path)).map { String(decoding: $0, as: UTF8.self) } ?? "").split(separator: "\n")
        }

        private func manifests(_ port: UInt16, _ backend: EchoBackend) -> String {
            [
                Manifest.gateway([.init(name: "db", port: port)]), Manifest.tcpRoute("db", to: "db", section: "db"),
                Manifest.service("db", at: backend.port),
            ].joined()
        }

        @Test("lines go to standard output, and the log of the process to standard error")
        func standardOutput() throws {
            let backend = try EchoBackend("one")
            let port = try Ports.free()
            let sluice = try Sluice.ready(manifests(port, backend))
            try connect(port, 1)
            try sluice.waitForAccessLine(
                "\"event\":\"close\"", "\"close_reason\":\"client_closed\"", "\"listener\":\"db\"")
            #expect(sluice.logLine(["\"event\":\"close\""]) == nil)
            try sluice.stop()
        }

        @Test("a file is opened again on SIGHUP, and has what is left when the process ends")
        func file() throws {
            let backend = try EchoBackend("one")
            let port = try Ports.free()
            let directory = try TemporaryDirectory()
            let path = directory.path + "/access.log"
            let sluice = try Sluice.ready(manifests(port, backend), flags: ["--access-log", path])
            try connect(port, 3)
            #expect(waitUntil { lines(path).count == 3 })
            #expect(rename(path, path + ".1") == 0)
            sluice.program.signal(SIGHUP)
            try sluice.waitForLog("access log opened again", path)
            try connect(port, 2)
            #expect(waitUntil { lines(path).count == 2 })
            #expect(lines(path + ".1").count == 3)
            #expect(sluice.program.output.isEmpty)
            let left = try PlainClient(port: port)
            _ = try left.receiveLine()
            left.close()
            try sluice.stop()
            #expect(lines(path).count == 3)
            #expect(!sluice.program.errors.contains("SIGHUP ignored"))
        }

        @Test("a file that cannot be made is said, and nothing starts")
        func missing() throws {
            let folder = try TemporaryDirectory()
            let program = try Program(
                "sluice",
                [
                    try Installation.sluice(), "run", "--manifests", folder.path, "--access-log", "/nowhere/log",
                    "--probe-address", "127.0.0.1:0", "--admin-address", "127.0.0.1:0",
                ])
            #expect(try program.waitForEnd(within: .seconds(15)) == .exited(code: 1))
            #expect(program.errors.contains("the access log /nowhere/log: "))
        }
    }
}
