/// Parses the language of rules: matchers with arguments in back quotes, `!`, `&&`, `||` and parentheses.
struct TraefikRuleParser {
    indirect enum Expression {
        case call(String, [String])
        case not(Expression)
        case all([Expression])
        case any([Expression])
    }

    private var rest: Substring
    private var depth = 0

    init(_ text: String) { rest = text[...] }

    mutating func parse() throws(TraefikRule.Problem) -> Expression {
        let expression = try disjunction()
        skipSpace()
        guard rest.isEmpty else { throw fault() }
        return expression
    }

    private mutating func disjunction() throws(TraefikRule.Problem) -> Expression {
        var parts = [try conjunction()]
        while skip("||") { parts.append(try conjunction()) }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func conjunction() throws(TraefikRule.Problem) -> Expression {
        var parts = [try factor()]
        while skip("&&") { parts.append(try factor()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func factor() throws(TraefikRule.Problem) -> Expression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 32 else { throw TraefikRule.Problem(message: "The rule is nested too deeply.") }
        if skip("!") { return .not(try factor()) }
        if skip("(") {
            let inner = try disjunction()
            guard skip(")") else { throw fault() }
            return inner
        }
        let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber) }
        rest = rest.dropFirst(name.count)
        guard !name.isEmpty, skip("(") else { throw fault() }
        var arguments = [try argument()]
        while skip(",") { arguments.append(try argument()) }
        guard skip(")") else { throw fault() }
        return .call(String(name), arguments)
    }

    private mutating func argument() throws(TraefikRule.Problem) -> String {
        skipSpace()
        guard let quote = rest.first, "`\"'".contains(quote) else { throw fault() }
        let text = rest.dropFirst().prefix { $0 != quote }
        rest = rest.dropFirst(text.count + 1)
        guard rest.first == quote else { throw fault() }
        rest = rest.dropFirst()
        return String(text)
    }

    private mutating func skip(_ mark: String) -> Bool {
        skipSpace()
        guard rest.hasPrefix(mark) else { return false }
        rest = rest.dropFirst(mark.count)
        return true
    }

    private mutating func skipSpace() { rest = rest.drop { $0.isWhitespace } }

    private func fault() -> TraefikRule.Problem {
        TraefikRule.Problem(
            message: rest.isEmpty ? "The rule ends early." : "The rule cannot be read at \(rest.prefix(20)).")
    }
}
