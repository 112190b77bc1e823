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

    /// Without the right to bind ports below 1024.
    static func withoutPrivilege() throws -> [String] {
        [try Installation.program("setpriv"), "--bounding-set=-net_bind_service", "--inh-caps=-all"]
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
    /// GET of a probe or the admin server, from inside the gateway's own network.
    func inside(_ path: String) throws -> HTTPAnswer {
        let address = path.hasPrefix("/config") ? admin : probes
        let curl = try Installation.program("curl")
        let result = try run(
            try Surrounding.enter(program) + [curl, "-s", "-i", "--max-time", "5", "http://\(address)\(path)"])
        return try HTTPAnswer(try result.checked())
    }

    func waitUntilReadyInside() throws {
        _ = try program.wait(for: "200 at /readyz") { (try? inside("/readyz"))?.status == 200 ? true : nil }
    }

    /// Talks to an echo backend through the gateway, from inside its network.
    func exchangeInside(_ address: String, _ port: UInt16) throws -> Greeting {
        let command = try Installation.peer("exchange.py", address, "\(port)")
        let lines = try run(try Surrounding.enter(program) + command).checked().split(separator: "\n")
        guard lines.count == 2, lines[1] == "to and fro" else { throw TestFailure("no echo: \(lines)") }
        return try Greeting.parse(String(lines[0]))
    }
}
