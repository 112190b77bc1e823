internal import YAML

/// What became of the fields of one object. Lives on the thread that converts.
final class Ledger {
    /// Paths of leaves that the result says in its own words.
    private(set) var converted: Set<String> = []
    private(set) var remarks: [Remark] = []
    /// Why nothing, or nothing that lets anyone in, came of the object or of a part of it.
    private(set) var failures: [String] = []

    func convert(_ path: String) { converted.insert(path) }

    /// What was converted at and below a field was not, after all.
    func forget(_ path: String) {
        converted = converted.filter { leaf in
            !(path.isEmpty || leaf == path || leaf.hasPrefix(path + ".") || leaf.hasPrefix(path + "["))
        }
    }

    func remark(_ remark: Remark) { remarks.append(remark) }

    /// Parts that entries were made of and that turned out not to stand beside others, and why.
    private(set) var crowdedOut: [(field: String, why: String)] = []

    func crowdOut(_ field: String, _ why: String) {
        fail("\(field): left out. \(why)")
        crowdedOut.append((field, why))
    }

    /// A part of the object was not converted; the sentence says which and what to do.
    func fail(_ sentence: String) {
        if !failures.contains(sentence) { failures.append(sentence) }
    }
}

/// A field without an equivalent.
struct Remark: Hashable {
    /// The field, or the one above all `values`.
    var field: String
    /// Leaves at or below the field, with paths relative to it, as they were written.
    var values: [Value]
    /// A sentence: why, and what to do instead.
    var reason: String

    struct Value: Hashable {
        var path: String
        var text: String
    }

    /// Lines of a comment, without the mark of one.
    var lines: [String] {
        let name = field.isEmpty ? "the object" : field
        if values.count == 1, let value = values.first, value.path.isEmpty {
            return ["\(name): \(value.text)", "  \(reason)"]
        }
        return [name] + values.map { "  \($0.path): \($0.text)" } + ["  \(reason)"]
    }
}
