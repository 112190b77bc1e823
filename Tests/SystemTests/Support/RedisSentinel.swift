internal import TestSupport

/// A master of redis and its replicas, with a sentinel that makes another one master when the master is gone.
final class RedisGroup: Sendable {
    /// The first is the first master.
    let servers: [Redis]
    private let sentinel: Program
    private let folder: TemporaryDirectory

    init(count: Int) throws {
        let master = try Redis()
        let replicas = try (1..<count).map { _ in try RedisGroup.replica(of: master.port) }
        servers = [master] + replicas
        folder = try TemporaryDirectory()
        let configuration = try folder.write(
            """
            port \(try Ports.free())
            bind 127.0.0.1
            dir \(folder.path)
            sentinel monitor group 127.0.0.1 \(master.port) 1
            sentinel down-after-milliseconds group 500
            sentinel failover-timeout group 3000

            """, to: "sentinel.conf")
        sentinel = try Program(
            "sentinel", [try Installation.program("redis-server"), configuration, "--sentinel"])
        let (sentinel, servers) = (sentinel, servers)
        _ = try sentinel.wait(for: "replicas in step") {
            try servers.dropFirst().allSatisfy { server in
                try Redis.command(["INFO", "replication"], at: server.port).contains("master_link_status:up")
            } && sentinel.output.components(of: "+slave slave") >= count - 1 ? true : nil
        }
    }

    /// A new server on a port of one that is gone; it believes that it is master, as one whose configuration says so does.
    static func restarted(at port: UInt16) throws -> Redis { try Redis(port: port) }

    private static func replica(of master: UInt16) throws -> Redis {
        try Redis(port: nil, ["--replicaof", "127.0.0.1", "\(master)", "--repl-diskless-sync-delay", "0"])
    }

    /// The port of the server that sentinel calls master, once that is another than `old`.
    func promoted(insteadOf old: UInt16) throws -> UInt16 {
        try sentinel.wait(for: "another master", within: .seconds(20)) {
            let line = sentinel.output.split(separator: "\n").last { $0.contains("+switch-master group") }
            guard let port = line?.split(separator: " ").last.flatMap({ UInt16($0) }), port != old else { return nil }
            return port
        }
    }
}

extension String {
    fileprivate func components(of text: String) -> Int {
        var (count, rest) = (0, self[...])
        while let found = rest.firstRange(of: text) {
            count += 1
            rest = rest[found.upperBound...]
        }
        return count
    }
}
