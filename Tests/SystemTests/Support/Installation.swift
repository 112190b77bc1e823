internal import Glibc
internal import Platform
internal import TestSupport

/// Where things are: the binary under test, the peers' programs, our own scripts.
enum Installation {
    /// The root of the repository.
    static let root = #filePath.split(separator: "/").dropLast(4).reduce(into: "") { $0 += "/" + $1 }

    /// The `sluice` that was built beside this test bundle, or the one that SLUICE_TEST_BINARY names.
    static func sluice() throws -> String {
        if let path = Host.environment("SLUICE_TEST_BINARY") {
            let absolute = path.hasPrefix("/") ? path : "\(root)/\(path)"
            guard isExecutable(absolute) else { throw TestFailure("SLUICE_TEST_BINARY: \(absolute) cannot be run") }
            return absolute
        }
        let bundle = try readLink("/proc/self/exe")
        let path = bundle.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 } + "/sluice"
        guard isExecutable(path) else {
            throw TestFailure("\(path) is absent; build it first: swift build --product sluice")
        }
        return path
    }

    /// The interpreter that has grpcio, websockets and psycopg.
    static func python() throws -> String {
        let path = "\(root)/.build/venv/bin/python"
        guard isExecutable(path) else { throw missing(path) }
        return path
    }

    /// The command line of a script under Peers.
    static func peer(_ script: String, _ arguments: String...) throws -> [String] {
        [try python(), "-u", "\(root)/Tests/SystemTests/Peers/\(script)"] + arguments
    }

    /// The absolute path of a program; what is missing fails the test, because a peer that is not spoken to proves nothing.
    static func program(_ name: String) throws -> String {
        let path = (Host.environment("PATH") ?? "/usr/bin:/bin") + ":/usr/sbin:/sbin:/usr/local/sbin"
        for directory in path.split(separator: ":") {
            let candidate = "\(directory)/\(name)"
            if isExecutable(candidate) { return candidate }
        }
        throw missing(name)
    }

    /// A server program of PostgreSQL, of the newest version installed.
    static func postgresProgram(_ name: String) throws -> String {
        let versions = ((try? listDirectory("/usr/lib/postgresql")) ?? []).compactMap { Int($0) }.sorted()
        for version in versions.reversed() {
            let candidate = "/usr/lib/postgresql/\(version)/bin/\(name)"
            if isExecutable(candidate) { return candidate }
        }
        return try program(name)
    }

    static var isRoot: Bool { geteuid() == 0 }

    private static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

    private static func missing(_ what: String) -> TestFailure {
        TestFailure("\(what) is not installed; the system tests need it. Run: scripts/setup build test")
    }
}
