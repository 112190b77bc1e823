import CFaults
import Platform

/// What the command line asks for.
struct Options {
    var seed: UInt64 = 1
    var call: String?
    var error: String?
    var mode: Mode?
    /// Random mixtures after the single failures; each has a seed of its own.
    var mixtures = 2
    /// The seed of the only mixture, instead of all else.
    var mixture: UInt64?
    /// How often everything is gone through.
    var rounds = 1
    var isShort = false
    var isListing = false

    static let usage = """
        usage: sluice-faults [--short] [--seed N] [--call NAME] [--error NAME] [--mode NAME] [--mixtures N] [--rounds N] [--mixture SEED] [--list]
        """

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let flag = rest.popFirst() {
            switch flag {
            case "--short": (isShort, mixtures) = (true, 1)
            case "--list": isListing = true
            default:
                guard let value = rest.popFirst() else {
                    throw Problem("\(flag): a value is missing\n\(Options.usage)")
                }
                try take(flag, value)
            }
        }
    }

    private mutating func take(_ flag: String, _ value: String) throws {
        switch flag {
        case "--seed": seed = try number(flag, value)
        case "--mixtures": mixtures = Int(try number(flag, value))
        case "--rounds": rounds = max(1, Int(try number(flag, value)))
        case "--mixture": mixture = try number(flag, value)
        case "--call": call = value
        case "--error": error = value
        case "--mode":
            guard let mode = Mode(rawValue: value) else {
                throw Problem("--mode: one of \(Mode.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            self.mode = mode
        default: throw Problem("unknown flag \(flag)\n\(Options.usage)")
        }
    }

    private func number(_ flag: String, _ value: String) throws -> UInt64 {
        guard let number = UInt64(value) else { throw Problem("\(flag): '\(value)' is no number") }
        return number
    }
}

struct Problem: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
