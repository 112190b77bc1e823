/// How Kubernetes wants names to look; each rule says so in its own words.
public enum NameRule: Hashable, Sendable {
    /// RFC 1123 label: lower-case letters, digits and '-', at most 63.
    case label
    /// RFC 1123 subdomain: labels joined by dots, at most 253.
    case subdomain
    /// RFC 1035 label, as Services use: begins with a letter.
    case serviceName

    public func isSatisfied(by name: String) -> Bool {
        switch self {
        case .label: isDNSLabel(name)
        case .subdomain: isDNSSubdomain(name)
        case .serviceName: isDNSLabel(name) && name.utf8.first.map(isLetter) == true
        }
    }

    public var words: String {
        switch self {
        case .label:
            "must consist of lower-case letters, digits and '-', begin and end with a letter or digit, and have at most "
                + "63 characters"
        case .subdomain:
            "must consist of lower-case letters, digits, '-' and '.', begin and end with a letter or digit, and have at "
                + "most 253 characters"
        case .serviceName:
            "must consist of lower-case letters, digits and '-', begin with a letter, end with a letter or digit, and "
                + "have at most 63 characters"
        }
    }
}

/// `^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`, 1–63.
func isDNSLabel(_ text: some StringProtocol) -> Bool {
    let bytes = text.utf8
    guard let first = bytes.first, let last = bytes.suffix(1).first, bytes.count <= 63 else { return false }
    return isLowerAlphanumeric(first) && isLowerAlphanumeric(last)
        && bytes.allSatisfy { isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }
}

/// Labels joined by dots, 1–253. As the API's pattern, a label itself may be longer than 63.
func isDNSSubdomain(_ text: some StringProtocol) -> Bool {
    guard text.utf8.count <= 253, !text.isEmpty else { return false }
    return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
        guard let first = label.utf8.first, let last = label.utf8.suffix(1).first else { return false }
        return isLowerAlphanumeric(first) && isLowerAlphanumeric(last)
            && label.utf8.allSatisfy { isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }
}

func isLowerAlphanumeric(_ byte: UInt8) -> Bool { isLowerLetter(byte) || isDigit(byte) }
func isAlphanumeric(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) }
func isLetter(_ byte: UInt8) -> Bool { isLowerLetter(byte | 0x20) }
func isLowerLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
