internal import EngineModel
internal import Primitives

/// Which connections are wanted: what `/connections` takes in its query, and `sluice connections` as flags. A field that comes more
/// than once admits any of its values; different fields have to agree.
struct ConnectionFilter: Sendable {
    typealias Test = @Sendable (ConnectionInfo) -> Bool

    /// Something that connections can be told apart by.
    struct Field: Sendable {
        /// In the query, camelCase.
        var name: String
        var placeholder: String
        var help: String
        /// Completes the sentence "allowed: …".
        var allowed: String
        /// Nil where a value is not allowed.
        var parse: @Sendable (String) -> Test?

        init<Value: Sendable>(
            _ name: String, _ placeholder: String, _ help: String, allowed: String,
            value: @escaping @Sendable (String) -> Value?, fits: @escaping @Sendable (ConnectionInfo, Value) -> Bool
        ) {
            (self.name, self.placeholder, self.help, self.allowed) = (name, placeholder, help, allowed)
            parse = { text in
                guard let value = value(text) else { return nil }
                return { fits($0, value) }
            }
        }

        /// The flag of the command line: `min-age` for `minAge`, `proxy-unique-id` for `proxyUniqueID`.
        var flagName: String {
            var words = ""
            var isWithinCapitals = false
            for letter in name {
                if letter.isUppercase, !isWithinCapitals { words += "-" }
                words += letter.lowercased()
                isWithinCapitals = letter.isUppercase
            }
            return words
        }
    }

    /// Why a filter cannot be used: one sentence.
    struct Problem: Error, Hashable { var message: String }

    private var groups: [String: [Test]] = [:]

    /// Whether nothing is asked for: everything fits.
    var isEmpty: Bool { groups.isEmpty }

    init() {}

    /// From names with their values. Throws where a name is no field, or a value is not allowed.
    init(_ parameters: some Sequence<(name: String, value: String)>) throws(Problem) {
        for (name, value) in parameters { try add(name, value) }
    }

    mutating func add(_ name: String, _ value: String) throws(Problem) {
        guard let field = ConnectionFilter.fields.first(where: { $0.name == name }) else {
            let names = ConnectionFilter.fields.map(\.name)
            let hint = nearest(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
            throw Problem(
                message:
                    "'\(printable(name))' is no field of connections\(hint) (allowed: \(names.joined(separator: ", ")))"
            )
        }
        guard let test = field.parse(value) else {
            throw Problem(message: "\(name): '\(printable(value))' is not allowed; allowed: \(field.allowed)")
        }
        groups[name, default: []].append(test)
    }

    func admits(_ info: ConnectionInfo) -> Bool {
        groups.values.allSatisfy { tests in tests.contains { $0(info) } }
    }
}
