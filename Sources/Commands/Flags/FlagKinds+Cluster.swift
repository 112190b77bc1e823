internal import Primitives

extension Flag where Value == String? {
    /// The name of an object: a DNS name, or a single label of one. `fallback` says what holds without it.
    static func objectName(
        _ name: String, help: String, fallback: String? = nil, isLabel: Bool = false
    ) -> Flag {
        let allowed = "a name of lower-case letters, digits and hyphens" + (isLabel ? "" : ", parts divided by dots")
        return Flag(
            name, "NAME", help: help, allowed: allowed, absent: nil, fallback: fallback,
            parse: { isObjectName($0, isLabel: isLabel) ? .some($0) : nil })
    }
}

extension Flag where Value == [String] {
    /// Names of namespaces, divided by commas; none without the flag.
    static func namespaces(_ name: String, help: String) -> Flag {
        Flag(
            name, "NAMESPACE,…", help: help, allowed: "names of namespaces, divided by commas", absent: [],
            parse: { text in
                let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                return names.allSatisfy { isObjectName($0, isLabel: true) } ? Set(names).sorted() : nil
            })
    }
}

extension Flag where Value == [String] {
    /// Host names, divided by commas, in lower case; none without the flag.
    static func hostNames(_ name: String, help: String) -> Flag {
        Flag(
            name, "NAME,…", help: help, allowed: "host names, divided by commas", absent: [],
            parse: { text in
                let names = text.lowercased().split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                return names.allSatisfy { HostnamePattern.isDNSName($0) } ? Set(names).sorted() : nil
            })
    }
}

extension Flag where Value == [String: String] {
    /// `key=value` pairs, divided by commas, as labels of Kubernetes.
    static func labels(_ name: String, help: String, default value: String) -> Flag {
        Flag(
            name, "KEY=VALUE,…", help: help, allowed: "labels such as app=sluice,track=stable, at least one",
            absent: parseLabels(value) ?? [:], fallback: value, parse: parseLabels)
    }
}

extension Flag where Value == ClosedRange<UInt16> {
    /// Two ports and what lies between them, unprivileged.
    static func portRange(_ name: String, help: String, default value: String) -> Flag {
        Flag(
            name, "FIRST-LAST", help: help, allowed: "two ports of 1024 to 65535 such as 20000-29999",
            absent: parsePortRange(value) ?? 1024...65535, fallback: value, parse: parsePortRange)
    }
}

extension Flag where Value == Bool {
    static func boolean(_ name: String, help: String, default value: Bool) -> Flag {
        Flag(
            name, "true|false", help: help, allowed: "true, false", choices: ["true", "false"], absent: value,
            fallback: "\(value)", parse: { Bool($0) })
    }
}

extension Flag where Value == Bool {
    /// True where the flag stands, alone or with a value after an equals sign.
    static func toggle(_ name: String, help: String, short: Character? = nil) -> Flag {
        Flag(
            name, "", help: help, allowed: "true, false", choices: ["true", "false"], absent: false, fallback: "false",
            short: short, isToggle: true, parse: { Bool($0) })
    }
}

extension Flag {
    /// One of the raw values of an enumeration, or nothing; `fallback` says what holds then.
    static func optionalChoice<Choice>(_ name: String, help: String, fallback: String) -> Flag
    where Value == Choice?, Choice: RawRepresentable & CaseIterable & Sendable, Choice.RawValue == String {
        let choices = Choice.allCases.map(\.rawValue)
        return Flag(
            name, choices.joined(separator: "|"), help: help, allowed: choices.joined(separator: ", "),
            choices: choices, absent: nil, fallback: fallback,
            parse: { Choice(rawValue: $0).map { .some($0) } })
    }
}

func isObjectName(_ text: String, isLabel: Bool) -> Bool {
    HostnamePattern.isDNSName(text) && (!isLabel || !text.contains("."))
}

private func parsePortRange(_ text: String) -> ClosedRange<UInt16>? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let first = UInt16(parts[0]), let last = UInt16(parts[1]) else { return nil }
    return first >= 1024 && first <= last ? first...last : nil
}

/// Nil where a pair has no `=`, a key comes twice, or a part is no label (Kubernetes, "Labels and Selectors").
private func parseLabels(_ text: String) -> [String: String]? {
    var labels: [String: String] = [:]
    for pair in text.split(separator: ",", omittingEmptySubsequences: false) {
        guard let equals = pair.firstIndex(of: "=") else { return nil }
        let (key, value) = (String(pair[..<equals]), String(pair[pair.index(after: equals)...]))
        let parts = key.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.last, !name.isEmpty, isLabelText(name), isLabelText(value[...]) else { return nil }
        guard parts.count == 1 || HostnamePattern.isDNSName(String(parts[0])) else { return nil }
        guard labels.updateValue(value, forKey: key) == nil else { return nil }
    }
    return labels
}

/// At most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; empty is allowed.
private func isLabelText(_ text: Substring) -> Bool {
    func isWord(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber)
    }
    guard let first = text.first, let last = text.last else { return true }
    return text.count <= 63 && isWord(first) && isWord(last)
        && text.allSatisfy { isWord($0) || $0 == "-" || $0 == "_" || $0 == "." }
}
