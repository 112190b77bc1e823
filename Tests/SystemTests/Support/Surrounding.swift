internal import Platform
internal import Primitives
internal import TestSupport

/// Commands that start a program in another surrounding: put them before its own command line.
enum Surrounding {
    /// A network of its own with a loopback interface only; `settings` are sysctls of it (`net.ipv4.x=1`).
    static func network(_ settings: String...) throws -> [String] {
        let unshare = [try Installation.program("unshare"), "--net"]
        let sysctl = try Installation.program("sysctl")
        let script = """
            \(try Installation.program("ip")) link set lo up
            for setting in \(settings.joined(separator: " ")); do \(sysctl) -q -w "$setting"; done
            exec "$@"
            """
        return unshare + (Installation.isRoot ? [] : ["--user", "--map-root-user"]) + ["sh", "-ec", script, "sh"]
    }

    /// Whether ``network(_:)`` works: for root outside a container, and where any user may make namespaces.
    static let allowsNetworks = (try? run(network() + ["true"]).succeeded) ?? false

    /// Whether this host keeps ports below 1024 for the privileged. Containers often give them to everyone.
    static let hasPrivilegedPorts: Bool = {
        let text = (try? readFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")) ?? []
        return Int(String(decoding: text, as: UTF8.self).split(separator: "\n").first ?? "") ?? 0 >= 1024
    }()

    /// Without the right to bind privileged ports.
    static func withoutPrivilege() throws -> [String] {
        guard Installation.isRoot else { return [] }
        return [try Installation.program("setpriv"), "--bounding-set=-net_bind_service", "--inh-caps=-all"]
    }

    /// A host that has no IPv6 at all.
    static func withoutIPv6() throws -> [String] { try Installation.peer("without_ipv6.py") }

    /// Runs a command in the network of a program that ``network(_:)`` started.
    static func enter(_ program: Program) throws -> [String] {
        let user = Installation.isRoot ? [] : ["--user", "--preserve-credentials"]
        return [try Installation.program("nsenter"), "--target", "\(program.identifier)", "--net"] + user + ["--"]
    }
}

extension Sluice {
    /// An echo backend in the gateway's own network.
    func echoInside(_ name: String) throws -> EchoBackend {
        guard isInNetworkOfItsOwn else { return try EchoBackend(name) }
        // The network has its loopback interface once the gateway itself runs there.
        _ = try program.wait(for: "an answer of /livez") { (try? probe("/livez"))?.status == 200 ? true : nil }
        return try EchoBackend(name, surrounding: try Surrounding.enter(program))
    }

    /// Talks to an echo backend through the gateway, from inside its network, until it answers.
    func waitForEchoInside(at port: UInt16) throws -> Greeting {
        let command = try Installation.peer("exchange.py", "127.0.0.1", "\(port)")
        let enter = isInNetworkOfItsOwn ? try Surrounding.enter(program) : []
        return try program.wait(for: "an echo at port \(port)") {
            let result = try run(enter + command)
            guard result.succeeded else { return nil }
            let lines = result.output.split(separator: "\n")
            guard lines.count == 2, lines[1] == "to and fro" else { throw TestFailure("no echo: \(lines)") }
            return try Greeting.parse(String(lines[0]))
        }
    }

    /// GET by a program inside its network.
    func getInside(_ path: String, from address: SocketAddress) throws -> HTTPAnswer {
        let curl = [try Installation.program("curl"), "-s", "-i", "--max-time", "5", "http://\(address)\(path)"]
        return try HTTPAnswer(try run(try Surrounding.enter(program) + curl).checked())
    }
}
