internal import Primitives

/// Collects problems in the order of the checks; a field that is absent passes all but ``require(_:_:)``. Paths of fields are written
/// out only for problems: thousands of objects have none.
struct FieldChecks {
    private(set) var problems: [FieldProblem] = []

    mutating func add(_ field: String, _ message: String) { problems.append(FieldProblem(field, message)) }

    /// A CEL rule of a CRD, by its own message.
    mutating func rule(_ field: @autoclosure () -> String, _ message: String, holds: Bool) {
        if !holds { add(field(), message) }
    }

    mutating func require(_ field: @autoclosure () -> String, _ isPresent: Bool) {
        if !isPresent { add(field(), "is required") }
    }

    mutating func range(_ field: @autoclosure () -> String, _ value: Int?, _ range: ClosedRange<Int>) {
        guard let value, !range.contains(value) else { return }
        add(field(), "must be between \(range.lowerBound) and \(range.upperBound), found \(value)")
    }

    mutating func atLeast(_ least: Int, _ field: @autoclosure () -> String, _ value: Int?) {
        guard let value, value < least else { return }
        add(field(), "must be at least \(least), found \(value)")
    }

    mutating func port(_ field: @autoclosure () -> String, _ value: Int?) { range(field(), value, 1...65535) }

    /// Lengths count characters as the API server does: Unicode scalars.
    mutating func text(
        _ field: @autoclosure () -> String, _ text: String?, _ length: ClosedRange<Int>, _ rule: TextRule? = nil
    ) {
        guard let text else { return }
        // There are no more scalars than bytes: those are counted only where it matters.
        let bytes = text.utf8.count
        let isFine = bytes <= length.upperBound && (bytes > 0 || length.lowerBound == 0) && length.lowerBound <= 1
        let count = isFine ? bytes : text.unicodeScalars.count
        if count == 0, length.lowerBound > 0 {
            add(field(), "must not be empty")
        } else if count < length.lowerBound {
            add(field(), "must have at least \(length.lowerBound) characters, has \(count)")
        } else if count > length.upperBound {
            add(field(), "must have at most \(length.upperBound) characters, has \(count)")
        } else if let rule, !rule.isSatisfied(by: text) {
            add(field(), "\(rule.words), found \"\(printable(text))\"")
        }
    }

    mutating func oneOf(_ field: @autoclosure () -> String, _ text: String?, _ allowed: @autoclosure () -> [String]) {
        guard let text else { return }
        let allowed = allowed()
        if allowed.contains(text) { return }
        add(field(), "must be \(allowed.joined(separator: " or ")), found \"\(printable(text))\"")
    }

    mutating func count(_ field: @autoclosure () -> String, _ count: Int?, _ range: ClosedRange<Int>) {
        guard let count else { return }
        if count > range.upperBound {
            add(field(), "must have at most \(range.upperBound) items, has \(count)")
        } else if count < range.lowerBound {
            add(field(), "must have at least \(range.lowerBound) \(range.lowerBound == 1 ? "item" : "items")")
        }
    }

    /// Group, kind, name and namespace of a reference, each with the limits that all of Gateway API's references share.
    mutating func reference(
        _ field: @autoclosure () -> String, group: String?, kind: String?, name: String?, namespace: String? = nil
    ) {
        text("\(field()).group", group, 0...253, .group)
        text("\(field()).kind", kind, 1...63, .kind)
        text("\(field()).name", name, 1...253)
        text("\(field()).namespace", namespace, 1...63, .label)
    }

    /// Keys and values of annotations, options and the like.
    mutating func options(_ field: @autoclosure () -> String, _ options: [String: String]?) {
        guard let options else { return }
        if options.count > 16 { add(field(), "must have at most 16 entries, has \(options.count)") }
        for (key, value) in options.sorted(by: { $0.key < $1.key }) {
            text("\(field())[\(printable(key))]", value, 0...4096)
        }
    }
}

/// Whether no two elements have an equal key.
func areUnique<Element, Key: Hashable>(_ elements: [Element], by key: (Element) -> Key) -> Bool {
    Set(elements.map(key)).count == elements.count
}
