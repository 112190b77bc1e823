internal import Primitives

extension Flag {
    /// One of the raw values of an enumeration.
    static func choice(_ name: String, help: String, default value: Value, short: Character? = nil) -> Flag
    where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
        let choices = Value.allCases.map(\.rawValue)
        return Flag(
            name, choices.joined(separator: "|"), help: help, allowed: choices.joined(separator: ", "),
            choices: choices, absent: value, fallback: value.rawValue, short: short, parse: { Value(rawValue: $0) })
    }
}

extension Flag where Value == String {
    /// Any text that is not empty.
    static func text(
        _ name: String, _ placeholder: String, help: String, default value: String? = nil, isRequired: Bool = false,
        environment: String? = nil
    ) -> Flag {
        Flag(
            name, placeholder, help: help, allowed: "\(placeholder), not empty", absent: value ?? "", fallback: value,
            isRequired: isRequired, environment: environment, parse: { $0.isEmpty ? nil : $0 })
    }
}

extension Flag where Value == String? {
    /// Any text that is not empty, or nothing.
    static func optionalText(
        _ name: String, _ placeholder: String, help: String, short: Character? = nil, environment: String? = nil
    ) -> Flag {
        Flag(
            name, placeholder, help: help, allowed: "\(placeholder), not empty", absent: nil, short: short,
            environment: environment,
            parse: { $0.isEmpty ? nil : .some($0) })
    }
}

extension Flag where Value == Int {
    static func integer(
        _ name: String, in range: ClosedRange<Int>, help: String, default value: Int, isRequired: Bool = false,
        environment: String? = nil
    ) -> Flag {
        Flag(
            name, "N", help: help, allowed: "\(range.lowerBound) to \(range.upperBound)", absent: value,
            fallback: isRequired ? nil : "\(value)", isRequired: isRequired, environment: environment,
            parse: { Int($0).flatMap { range.contains($0) ? $0 : nil } })
    }
}

extension Flag where Value == Int? {
    /// A number that is worked out at start when the flag is absent; `fallback` says how.
    static func integer(_ name: String, in range: ClosedRange<Int>, help: String, fallback: String) -> Flag {
        Flag(
            name, "N", help: help, allowed: "\(range.lowerBound) to \(range.upperBound)", absent: nil,
            fallback: fallback, parse: { Int($0).flatMap { range.contains($0) ? .some($0) : nil } })
    }
}

extension Flag where Value == SocketAddress {
    static func address(_ name: String, help: String, default value: SocketAddress) -> Flag {
        Flag(
            name, "IP:PORT", help: help, allowed: "an address and port such as 127.0.0.1:8081 or [::]:8081",
            absent: value, fallback: value.description, parse: { SocketAddress($0) })
    }
}

extension Flag where Value == Duration {
    /// Gateway API's durations (GEP-2257): whole numbers with h, m, s, ms.
    static func duration(_ name: String, in range: ClosedRange<Duration>, help: String, default value: String) -> Flag {
        Flag(
            name, "DURATION", help: help, allowed: allowedDurations(range),
            absent: parseDuration(value) ?? range.lowerBound, fallback: value,
            parse: { parseDuration($0).flatMap { range.contains($0) ? $0 : nil } })
    }
}

extension Flag where Value == Duration? {
    /// A duration that depends on other flags when it is absent; `fallback` says how.
    static func duration(_ name: String, in range: ClosedRange<Duration>, help: String, fallback: String) -> Flag {
        Flag(
            name, "DURATION", help: help, allowed: allowedDurations(range), absent: nil, fallback: fallback,
            parse: { parseDuration($0).flatMap { range.contains($0) ? .some($0) : nil } })
    }
}

private func allowedDurations(_ range: ClosedRange<Duration>) -> String {
    "\(durationText(range.lowerBound)) to \(durationText(range.upperBound)), such as 500ms, 30s or 1m30s"
}

extension Flag where Value == Int {
    /// Bytes as a Kubernetes quantity.
    static func size(_ name: String, in range: ClosedRange<Int>, help: String, default value: String) -> Flag {
        let bounds = "\(sizeText(range.lowerBound)) to \(sizeText(range.upperBound))"
        return Flag(
            name, "SIZE", help: help, allowed: "\(bounds), such as 64Mi or 1Gi",
            absent: parseSize(value) ?? range.lowerBound, fallback: value,
            parse: { parseSize($0).flatMap { range.contains($0) ? $0 : nil } })
    }
}
