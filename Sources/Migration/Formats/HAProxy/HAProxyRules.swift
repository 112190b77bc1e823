internal import Primitives

/// Conditions and rules of a frontend, as far as routes and policies can say them.
struct HAProxyRules {
    /// What cannot be said.
    struct Problem: Error { var message: String }

    private enum Test {
        case hosts([String])
        case source([String])
        /// Whether the stream begins with a ClientHello.
        case hello
    }

    private let frontend: SourceField?
    private var lists: [String: [SourceField]] = [:]

    init(_ frontend: SourceField?) {
        self.frontend = frontend
        for item in frontend?["acl_list"]?.items ?? [] {
            lists[item["acl_name"]?.scalar ?? "", default: []].append(item)
        }
    }

    /// The host names of a rule that chooses a service by SNI.
    func hosts(of rule: SourceField) throws(Problem) -> [String] {
        let text = rule["cond_test"]?.scalar ?? ""
        guard rule["cond"]?.scalar == "if" else { throw unclear(text) }
        var hosts: [String] = []
        for (test, isNegated) in try tests(text) {
            guard case .hosts(let names) = test, !isNegated else { throw unclear(text) }
            hosts += names
        }
        return hosts
    }

    /// Rules that accept and reject, in their order.
    func apply(to entry: inout Entry) throws(Problem) {
        let rules = frontend?["tcp_request_rule_list"]?.items ?? []
        for rule in rules {
            switch rule["type"]?.scalar ?? "" {
            case "inspect-delay":
                entry.portSettings.inspectionTimeout = rule["timeout"]?.integer.flatMap {
                    $0 > 0 ? Durations.written($0) : nil
                }
            case "connection", "session", "content": break
            case let type: throw unclear("tcp-request \(type)")
            }
        }
        // Each phase accepts and rejects for itself.
        for phase in ["connection", "session", "content"] {
            try apply(rules.filter { $0["type"]?.scalar == phase }, to: &entry)
        }
    }

    private func apply(_ rules: [SourceField], to entry: inout Entry) throws(Problem) {
        var accepted: [String] = []
        for rule in rules {
            switch rule["action"]?.scalar ?? "" {
            case "accept": try accept(rule, &accepted, &entry)
            case "reject", "silent-drop": try reject(rule, accepted, &entry)
            case let action where HAProxyRules.harmless.contains { action.hasPrefix($0) }:
                rule.drop("Nothing is noted or marked by rules.")
            case let action:
                throw Problem(message: "Its rule \(printable(action)) may keep clients out, and has no equivalent.")
            }
        }
    }

    private static let harmless = [
        "capture", "set-var", "unset-var", "track-sc", "sc-", "set-log-level", "set-mark", "set-tos", "set-nice",
    ]

    private func accept(_ rule: SourceField, _ accepted: inout [String], _ entry: inout Entry) throws(Problem) {
        guard let text = rule["cond_test"]?.scalar else {
            // What follows is not looked at.
            accepted = ["0.0.0.0/0", "::/0"]
            return rule.convert("type", "action", "cond", "cond_test")
        }
        guard rule["cond"]?.scalar == "if" else { throw unclear(text) }
        for (test, isNegated) in try tests(text) {
            switch test {
            case .hello where !isNegated: break
            case .source(let blocks) where !isNegated: accepted += blocks
            default: throw unclear(text)
            }
        }
        rule.convert("type", "action", "cond", "cond_test")
    }

    private func reject(_ rule: SourceField, _ accepted: [String], _ entry: inout Entry) throws(Problem) {
        guard let text = rule["cond_test"]?.scalar else {
            // A rule for all that no rule before accepted; of TLS alone nothing is said by addresses.
            if !accepted.isEmpty || !hasHello { narrow(&entry, to: accepted) } else { entry.mode = .passthrough }
            return rule.convert("type", "action", "cond", "cond_test")
        }
        guard accepted.isEmpty else { throw unclear(text) }
        let tests = try tests(text)
        guard ["if", "unless"].contains(rule["cond"]?.scalar) else { throw unclear(text) }
        var blocks: [String] = []
        for (test, _) in tests {
            guard case .source(let more) = test else { throw unclear(text) }
            blocks += more
        }
        guard let isNegated = tests.first?.isNegated else { throw unclear(text) }
        if (rule["cond"]?.scalar == "unless") != isNegated {
            narrow(&entry, to: blocks)
        } else {
            entry.client.denied += blocks
        }
        rule.convert("type", "action", "cond", "cond_test")
    }

    private var hasHello: Bool {
        (frontend?["tcp_request_rule_list"]?.items ?? []).contains {
            $0["action"]?.scalar == "accept" && $0["cond_test"]?.scalar?.contains("ssl_hello_type") == true
        }
    }

    private func narrow(_ entry: inout Entry, to blocks: [String]) {
        entry.client.allowed = entry.client.allowed.map { Blocks.intersection($0, blocks) } ?? blocks
    }

    private func unclear(_ text: String) -> Problem {
        Problem(message: "What its rule asks cannot be said in routes and policies: \(printable(text)).")
    }

    /// Names of lists and conditions in braces, joined by `or`.
    private func tests(_ text: String) throws(Problem) -> [(Test, isNegated: Bool)] {
        var tests: [(Test, isNegated: Bool)] = []
        for part in text.replacing("||", with: " or ").split(separator: " or ") {
            var words = part.split(separator: " ").map(String.init)[...]
            var isNegated = false
            while let first = words.first, first.hasPrefix("!") {
                isNegated.toggle()
                words[words.startIndex] = String(first.dropFirst())
                if words[words.startIndex].isEmpty { words = words.dropFirst() }
            }
            if words.first == "{", words.last == "}" {
                let inner = words.dropFirst().dropLast()
                guard let criterion = inner.first else { throw unclear(text) }
                tests.append((try test(criterion, Array(inner.dropFirst())), isNegated))
            } else if words.count == 1, let name = words.first, let items = lists[name] {
                for item in items {
                    let value = (item["value"]?.scalar ?? "").split(separator: " ").map(String.init)
                    tests.append((try test(item["criterion"]?.scalar ?? "", value), isNegated))
                    item.convert("acl_name", "criterion", "value")
                }
            } else {
                throw unclear(text)
            }
        }
        guard !isNegatedUnion(tests) else { throw unclear(text) }
        return tests
    }

    /// Not one or not another is nearly everybody: not what was meant, and nothing a list can say.
    private func isNegatedUnion(_ tests: [(Test, isNegated: Bool)]) -> Bool {
        tests.count > 1 && tests.contains { $0.isNegated }
    }

    private func test(_ criterion: String, _ values: [String]) throws(Problem) -> Test {
        let name = criterion.replacing(".", with: "_")
        let plain = values.filter { $0 != "-i" }
        switch name {
        case "req_ssl_sni", "ssl_fc_sni", "req_ssl_sni_end", "ssl_fc_sni_end":
            let isSuffix = name.hasSuffix("_end")
            let hosts = plain.map { isSuffix ? ($0.hasPrefix(".") ? "*\($0)" : "*.\($0)") : $0.lowercased() }
            guard !hosts.isEmpty, !isSuffix || plain.allSatisfy({ $0.hasPrefix(".") }),
                hosts.allSatisfy({ HostnamePattern($0) != nil })
            else { throw unclear("\(criterion) \(values.joined(separator: " "))") }
            return .hosts(hosts)
        case "req_ssl_hello_type", "req_ssl_hello_type_int":
            guard plain == ["1"] else { throw unclear("\(criterion) \(values.joined(separator: " "))") }
            return .hello
        case "src":
            guard !plain.isEmpty, let blocks = Blocks.parse(plain) else {
                throw unclear("src \(plain.joined(separator: " "))")
            }
            return .source(blocks)
        default: throw unclear(criterion)
        }
    }
}
