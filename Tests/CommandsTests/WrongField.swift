import TestSupport
import Testing

@testable import Commands

/// A wrong value in the spec of a policy, and what `check` says of it at which field.
struct WrongField: CustomTestStringConvertible, Sendable {
    let spec: String
    let field: String
    let message: String
    var testDescription: String { spec }

    init(_ spec: String, _ field: String, _ message: String) {
        (self.spec, self.field, self.message) = (spec, field, message)
    }

    /// Holds `check` to it.
    func expect(of kind: String, target: String) throws {
        let folder = try TemporaryDirectory()
        let policy = """
            apiVersion: sluice.dev/v1alpha1
            kind: \(kind)
            metadata: {name: p}
            spec:
              targetRefs: [\(target)]
              \(spec)

            """
        try folder.write(policy, to: "p.yaml")
        guard case .check(let options) = Interpretation(["check", folder.path], environment: { _ in nil }) else {
            throw TestFailure("not understood")
        }
        let (output, code) = try CheckCommand(options: options).run(asOf: 1_700_000_000)
        #expect(output.contains("\(kind) default/p: spec.\(field): \(message)"), "\(output)")
        #expect(code == 1)
    }
}
