internal import FoundationEssentials
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    /// The definitions under crds/, evaluated as an API server does, against what a real one (1.36) said of the same objects.
    @Suite("Definitions of our kinds", .timeLimit(.minutes(5)))
    struct DefinitionTests {
        @Test("are structural, with a limit on everything that a rule's cost grows with", arguments: Definition.all)
        func faults(definition: Definition) throws {
            #expect(try definition.judged().faults.isEmpty)
        }

        @Test("verdict, fields, types, messages and defaults are the API server's", arguments: Definition.all)
        func agreement(definition: Definition) throws {
            let expected = try definition.expected()
            let judged = try definition.judged().objects
            #expect(expected.count == definition.count)
            #expect(Set(judged.keys) == Set(expected.keys))
            for (name, answer) in expected {
                #expect(judged[name] == answer, "\(name)")
            }
        }

        @Test("their pages in docs/reference are what `make reference` writes")
        func pages() throws {
            let command = [try Installation.python(), "-B", "\(Installation.root)/scripts/reference", "--check"]
            _ = try run(command, within: .seconds(100)).checked()
        }

        @Test(
            "a rule, a limit or a default that is missing is noticed",
            arguments: [
                (Definition.parameters, "- rule: self.from <= self.to", "- rule: self.from <= self.to + 65535"),
                (.parameters, "maxItems: 256", "maxItems: 257"),
                (.parameters, "x-kubernetes-list-type: set", "nothing: 0"),
                (.parameters, "enum: [Service, Host]", "enum: [Host, Service]"),
                (.parameters, "addresses are only allowed with exposure Host", "addresses need exposure Host"),
                (.backends, "default: Endpoints", "nothing: 0"),
                (.backends, "required: [address, port]", "required: [address]"),
                (.backends, "isIP(self)", "isIP(self) || true"), (.backends, "maximum: 1000", "maximum: 1001"),
                (.backendPolicies, "has(self.spkiHashes) == (has", "has(self.spkiHashes) != (has"),
                (.backendPolicies, "== has(self.consistentHash)", "|| has(self.consistentHash)"),
                (.backendPolicies, "duration(self.interval).getMilliseconds() * 10", "600000"),
                (.backendPolicies, "regex for type Regex, and nothing else", "and nothing else"),
                (.backendPolicies, "(t.group == '' && t.kind == 'Service')", "t.kind == 'Service'"),
                (.backendPolicies, "self.type in ['Custom', 'Forward']", "self.type == 'Custom'"),
                (.backendPolicies, "size(bytes(self)) <= 256", "size(bytes(self)) <= 1024"),
                (.backendPolicies, "duration(self) >= duration('1s')", "duration(self) > duration('0s')"),
                (.backendPolicies, "default: Unhealthy", "default: Healthy"),
                (.backendPolicies, "default: 4Ki", "nothing: 0"), (.backendPolicies, "default: 250ms", "default: 1s"),
                (.backendPolicies, "maximum: 5000011", "maximum: 5000012"),
                (.backendPolicies, "maximum: 239", "maximum: 255"),
                (.backendPolicies, "enum: [Keep, Drain]", "enum: [Keep, Drain, Close]"),
                (.backendPolicies, "FromClient|", "[Ff]romClient|"),
                (.clientPolicies, "isCIDR(self)", "isCIDR(self) || true"),
                (.clientPolicies, "- rule: has(self.request) || has(self.response)", "- rule: 'true'"),
                (.clientPolicies, "compareTo(quantity('1Ki'))", "compareTo(quantity('1k'))"),
                (.clientPolicies, "self.minVersion <= self.maxVersion", "self.maxVersion <= self.maxVersion"),
                (.clientPolicies, "self.all(a, self.exists_one(b, b.name == a.name))", "'true'"),
                (.clientPolicies, "duration(self) <= duration('60s')", "duration(self) <= duration('61s')"),
                (.clientPolicies, "['Gateway', 'ListenerSet'] && has(t.sectionName)", "['Gateway', 'ListenerSet']"),
                (.clientPolicies, "default: Deny", "default: Allow"), (.clientPolicies, "default: 5s", "nothing: 0"),
                (.clientPolicies, "default: [Close]", "default: [Open]"),
                (.clientPolicies, "maxItems: 1024", "maxItems: 1025"),
                (.clientPolicies, "minProperties: 1", "nothing: 0"),
                (.clientPolicies, "x-kubernetes-list-type: set", "x-kubernetes-list-type: atomic"),
                (.clientPolicies, "maximum: 128", "maximum: 129"), (.clientPolicies, "minLength: 44", "minLength: 4"),
                (.clientPolicies, "required: [name, action, principal]", "required: [name, principal]"),
                (.clientPolicies, "events Periodic needs interval", "Periodic needs interval"),
            ])
        func differences(definition: Definition, text: String, other: String) throws {
            let whole = try String(contentsOfFile: definition.path, encoding: .utf8)
            let changed = whole.replacing(text, with: other)
            try #require(changed != whole)
            let directory = try TemporaryDirectory()
            let path = try directory.write(changed, to: "definition.yaml")
            let expected = try definition.expected()
            let judged = try definition.judged(as: path).objects
            #expect(judged.contains { $0.value != expected[$0.key] })
        }
    }
}

/// One definition, and where the objects of its kind stand.
struct Definition: Sendable, CustomTestStringConvertible {
    let plural: String
    let folder: String
    let count: Int
    var testDescription: String { plural }

    static let backends = Definition(plural: "backends", folder: "BackendCases", count: 33)
    static let parameters = Definition(plural: "gatewayparameters", folder: "ParametersCases", count: 31)
    static let clientPolicies = Definition(plural: "clientpolicies", folder: "ClientPolicyCases", count: 159)
    static let backendPolicies = Definition(plural: "backendpolicies", folder: "BackendPolicyCases", count: 94)
    static let all = [backends, backendPolicies, clientPolicies, parameters]

    /// What is said of one object.
    struct Answer: Decodable, Hashable, Sendable {
        let valid: Bool
        let errors: Set<Problem>
        let rulesSkipped: Bool
        let defaulted: [String: Value]

        struct Problem: Decodable, Hashable, Sendable {
            let field: String
            let type: String
            let message: String
            let sideEffect: Bool?
        }

        private enum Field: CodingKey { case valid, errors, rulesSkipped, defaulted }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Field.self)
            valid = try fields.decode(Bool.self, forKey: .valid)
            let errors = try fields.decodeIfPresent([Problem].self, forKey: .errors) ?? []
            self.errors = Set(errors.filter { $0.sideEffect != true })
            rulesSkipped = try fields.decodeIfPresent(Bool.self, forKey: .rulesSkipped) ?? false
            // The server says what it filled in only of objects it takes.
            defaulted =
                valid ? try fields.decodeIfPresent([String: Value].self, forKey: .defaulted) ?? [:] : [:]
        }
    }

    /// A default.
    enum Value: Decodable, Hashable, Sendable {
        case bool(Bool), integer(Int), string(String), list([String])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let value = try? container.decode(Bool.self) {
                self = .bool(value)
            } else if let value = try? container.decode(Int.self) {
                self = .integer(value)
            } else if let value = try? container.decode([String].self) {
                self = .list(value)
            } else {
                self = .string(try container.decode(String.self))
            }
        }
    }

    var path: String { "\(Installation.root)/crds/sluice.dev_\(plural).yaml" }
    private var cases: String { "\(Installation.root)/Tests/ManifestSourceTests/\(folder)" }

    func expected() throws -> [String: Answer] {
        try JSONDecoder().decode([String: Answer].self, from: Data(readFile("\(cases)/expected.json")))
    }

    /// What our evaluator says with this definition, or with the one in another file.
    func judged(as path: String? = nil) throws -> (faults: [String], objects: [String: Answer]) {
        struct Faults: Decodable { let faults: [String] }
        struct Named: Decodable { let name: String }
        var command = try Installation.peer("definition_peer.py") + [path ?? self.path]
        for verdict in ["valid", "invalid"] {
            command += try listDirectory("\(cases)/\(verdict)").sorted().map { "\(cases)/\(verdict)/\($0)" }
        }
        var lines = try run(command, within: .seconds(200)).checked().split(separator: "\n").map { Data($0.utf8) }
        guard !lines.isEmpty else { throw TestFailure("definition_peer says nothing") }
        let decoder = JSONDecoder()
        let faults = try decoder.decode(Faults.self, from: lines.removeFirst()).faults
        let objects = try lines.map { line in
            (try decoder.decode(Named.self, from: line).name, try decoder.decode(Answer.self, from: line))
        }
        return (faults, Dictionary(uniqueKeysWithValues: objects))
    }
}
