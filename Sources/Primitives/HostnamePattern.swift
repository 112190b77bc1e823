/// A host name as Gateway API listeners and routes give it: an exact DNS name, or `*.` and a suffix, where `*` stands
/// for one or more labels. Held in lower case without a final dot.
public enum HostnamePattern: Hashable, Sendable {
    case exact(String)
    /// The part after `*.`.
    case wildcard(suffix: String)

    /// Parses Gateway API's `Hostname`: RFC 1123 labels of 1–63 octets, at most 253 in all, an optional leading `*.`.
    /// IP addresses are refused. Upper case is accepted and folded.
    public init?(_ text: some StringProtocol) {
        let lowered = text.lowercased()
        let isWildcard = lowered.hasPrefix("*.")
        let name = isWildcard ? String(lowered.dropFirst(2)) : lowered
        guard lowered.utf8.count <= 253, HostnamePattern.isDNSName(name), IPAddress(name) == nil else { return nil }
        self = isWildcard ? .wildcard(suffix: name) : .exact(name)
    }

    /// Whether `text` is an RFC 1123 subdomain in lower case: labels of letters, digits and inner hyphens.
    public static func isDNSName(_ text: String) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        return text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            let hyphen = UInt8(ascii: "-")
            guard (1...63).contains(label.count), label.first != hyphen, label.last != hyphen else { return false }
            return label.allSatisfy {
                ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z"))
                    || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
                    || $0 == hyphen
            }
        }
    }

    /// Whether a host name (lower case, no final dot) falls under this pattern.
    public func matches(_ name: String) -> Bool {
        switch self {
        case .exact(let own): own == name
        case .wildcard(let suffix): name.utf8.count > suffix.utf8.count + 1 && name.hasSuffix("." + suffix)
        }
    }

    /// The names both patterns accept, as one pattern; nil where they share none (Gateway API, TLSRoute.hostnames).
    public func intersection(_ other: HostnamePattern) -> HostnamePattern? {
        switch (self, other) {
        case (.exact(let name), _): other.matches(name) ? self : nil
        case (_, .exact(let name)): matches(name) ? other : nil
        case (.wildcard(let a), .wildcard(let b)):
            if a == b || a.hasSuffix("." + b) {
                self
            } else if b.hasSuffix("." + a) {
                other
            } else {
                nil
            }
        }
    }
}

extension HostnamePattern: CustomStringConvertible, Comparable {
    public var description: String {
        switch self {
        case .exact(let name): name
        case .wildcard(let suffix): "*." + suffix
        }
    }

    /// By text: stable output, no meaning in precedence.
    public static func < (left: HostnamePattern, right: HostnamePattern) -> Bool {
        left.description < right.description
    }
}
