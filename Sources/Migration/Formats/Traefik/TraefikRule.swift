internal import Primitives

/// A router's rule as alternatives, each of which says whom it matches.
struct TraefikRule {
    /// What must hold together.
    struct Alternative: Hashable {
        /// Host names; nil for any, by `HostSNI(*)` or because nothing is said of them.
        var hosts: Set<String>?
        /// Blocks of which the client must be in one; nil for any.
        var allowed: [String]?
        var denied: [String] = []
    }

    private(set) var alternatives: [Alternative]

    /// What cannot be said in routes and policies.
    struct Problem: Error { var message: String }

    init(_ text: String) throws(Problem) {
        var parser = TraefikRuleParser(text)
        alternatives = []
        alternatives = try TraefikRule.alternatives(of: try parser.parse(), negated: false)
        if alternatives.isEmpty { throw Problem(message: "The rule matches nothing.") }
    }

    private static func alternatives(of expression: TraefikRuleParser.Expression, negated: Bool) throws(Problem)
        -> [Alternative]
    {
        switch expression {
        case .not(let inner): return try alternatives(of: inner, negated: !negated)
        case .any(let parts) where !negated, .all(let parts) where negated:
            var union: [Alternative] = []
            for part in parts { union += try alternatives(of: part, negated: negated) }
            return union
        case .all(let parts), .any(let parts):
            var product = [Alternative()]
            for part in parts {
                let more = try alternatives(of: part, negated: negated)
                guard product.count * more.count <= 64 else { throw Problem(message: "The rule has too many cases.") }
                product = product.flatMap { left in more.compactMap { joined(left, $0) } }
            }
            return product
        case .call(let name, let arguments): return [try matcher(name, arguments, negated)]
        }
    }

    /// Nil where both cannot hold.
    private static func joined(_ left: Alternative, _ right: Alternative) -> Alternative? {
        var result = left
        result.denied += right.denied
        if let theirs = right.hosts { result.hosts = left.hosts.map { $0.intersection(theirs) } ?? theirs }
        if let theirs = right.allowed {
            result.allowed = left.allowed.map { Blocks.intersection($0, theirs) } ?? theirs
        }
        return result.hosts == [] ? nil : result
    }

    private static func matcher(_ name: String, _ arguments: [String], _ negated: Bool) throws(Problem) -> Alternative {
        switch name {
        case "HostSNI" where !negated:
            if arguments.contains("*") { return Alternative() }
            var hosts: Set<String> = []
            for argument in arguments {
                guard let host = hostname(argument) else {
                    throw Problem(message: "HostSNI(`\(printable(argument))`) is no host name.")
                }
                hosts.insert(host)
            }
            return Alternative(hosts: hosts)
        case "HostSNIRegexp" where !negated:
            var hosts: Set<String> = []
            for argument in arguments {
                guard let host = wildcard(argument) else {
                    throw Problem(
                        message:
                            "Host names have no regular expressions: name the hosts of \(printable(argument)), or a"
                            + " wildcard.")
                }
                hosts.insert(host)
            }
            return Alternative(hosts: hosts)
        case "ClientIP":
            guard let blocks = Blocks.parse(arguments) else {
                throw Problem(message: "ClientIP needs addresses or blocks of them.")
            }
            return negated ? Alternative(denied: blocks) : Alternative(allowed: blocks)
        case "ALPN": throw Problem(message: "Routes are not chosen by ALPN.")
        default:
            throw Problem(
                message: negated ? "A route takes names, not all but some." : "\(printable(name)) is not known.")
        }
    }

    private static func hostname(_ text: String) -> String? {
        HostnamePattern(text) == nil ? nil : text.lowercased()
    }

    /// Patterns that say what a wildcard says: any labels, or one, before a fixed suffix.
    private static func wildcard(_ pattern: String) -> String? {
        var text = pattern[...]
        if text.hasPrefix("^") { text = text.dropFirst() }
        if text.hasSuffix("$") { text = text.dropLast() }
        for start in ["[^.]+\\.", ".+\\.", "[a-z0-9-]+\\.", "[a-zA-Z0-9-]+\\."] where text.hasPrefix(start) {
            let suffix = text.dropFirst(start.count).replacing("\\.", with: ".")
            return hostname("*.\(suffix)")
        }
        return nil
    }
}

/// Lists of addresses and blocks.
enum Blocks {
    /// As CIDRs, where an address is a block of one; nil where something is neither.
    static func parse(_ texts: [String]) -> [String]? {
        var blocks: [String] = []
        for text in texts {
            let trimmed = text.split(separator: " ").joined()
            if let block = CIDR(trimmed) {
                blocks.append("\(block)")
            } else if let address = IPAddress(trimmed)?.unmapped {
                blocks.append("\(address)/\(address.isV4 ? 32 : 128)")
            } else {
                return nil
            }
        }
        return blocks
    }

    /// What lies in both lists.
    static func intersection(_ left: [String], _ right: [String]) -> [String] {
        let (left, right) = (left.compactMap { CIDR($0) }, right.compactMap { CIDR($0) })
        var result: [String] = []
        for one in left {
            for two in right {
                let inner = one.prefixLength >= two.prefixLength ? one : two
                let outer = one.prefixLength >= two.prefixLength ? two : one
                if outer.contains(inner.address), !result.contains("\(inner)") { result.append("\(inner)") }
            }
        }
        return result
    }
}
