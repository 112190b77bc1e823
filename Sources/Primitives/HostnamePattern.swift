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
        guard lowered.utf8.count <= 253, HostnamePattern.isDNSName(name) else { return nil }
        // Only a name that ends in a digit can be an address.
        if let last = name.utf8.last, last <= UInt8(ascii: "9"), IPAddress(name) != nil { return nil }
        self = isWildcard ? .wildcard(suffix: name) : .exact(name)
    }

    /// Whether `text` is an RFC 1123 subdomain in lower case: labels of letters, digits and inner hyphens.
    public static func isDNSName(_ text: String) -> Bool {
        let bytes = text.utf8
        guard (1...253).contains(bytes.count) else { return false }
        let (dot, hyphen) = (UInt8(ascii: "."), UInt8(ascii: "-"))
        var length = 0
        var previous = dot
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): length += 1
            case hyphen where length > 0: length += 1
            case dot where length > 0 && previous != hyphen: length = 0
            default: return false
            }
            guard length <= 63 else { return false }
            previous = byte
        }
        return length > 0 && previous != hyphen
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
