internal import Glibc
internal import Platform
internal import Primitives
internal import TestSupport
internal import Testing

extension Process {
    @Suite("no image of the process", .timeLimit(.minutes(1)))
    struct CoreDumpTests {
        private static let none = ["Max", "core", "file", "size", "0", "0", "bytes"].map { Substring($0) }

        private func coreLimit(of process: String) throws -> Substring {
            let limits = String(decoding: try readFile("/proc/\(process)/limits"), as: UTF8.self)
            return try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
        }

        /// Another user than root, whom nothing is refused.
        private static var asNobody: [String] {
            get throws {
                Installation.isRoot
                    ? [try Installation.program("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"] : []
            }
        }

        @Test(
            "without --allow-core-dumps no core is written, and the same user may not look in",
            arguments: [false, true])
        func dumps(allowed: Bool) throws {
            let folder = try TemporaryDirectory()
            chmod(folder.path, 0o755)
            let gateway = Manifest.gateway([.init(name: "tcp", port: try Ports.free())])
            let file = try folder.write(gateway, to: "main.yaml")
            chmod(file, 0o644)
            let probes = try Ports.free()
            let program = try Program(
                "sluice",
                try CoreDumpTests.asNobody + [
                    try Installation.sluice(), "run", "--manifests", file, "--probe-address", "127.0.0.1:\(probes)",
                    "--admin-address", "127.0.0.1:\(try Ports.free())",
                ] + (allowed ? ["--allow-core-dumps"] : []))
            _ = try program.wait(for: "200 at /readyz") {
                (try? get("/readyz", from: .init(.loopbackV4, probes)))?.status == 200 ? true : nil
            }
            // What the metrics read of the process itself stays readable.
            let metrics = try get("/metrics", from: .init(.loopbackV4, probes)).body
            #expect(metrics.contains("\nprocess_open_fds ") && metrics.contains("\nprocess_resident_memory_bytes "))
            let line = try coreLimit(of: "\(program.identifier)")
            #expect(
                allowed ? line == (try coreLimit(of: "self")) : line.split(separator: " ") == CoreDumpTests.none,
                "\(line)")
            let look = try run(
                try CoreDumpTests.asNobody + [try Installation.program("cat"), "/proc/\(program.identifier)/environ"])
            #expect(look.succeeded == allowed, "\(look.errors)")
            program.signal(SIGINT)
            #expect(try program.waitForEnd(within: .seconds(10)) == .exited(code: 0))
        }
    }
}
