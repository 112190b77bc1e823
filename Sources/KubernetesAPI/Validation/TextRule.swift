/// What a string must look like: each pattern of the CRDs and of the core API by a name, with words for who breaks it.
enum TextRule: Hashable, Sendable {
    /// RFC 1123 label: lower-case letters, digits and '-', at most 63.
    case label
    /// RFC 1123 subdomain: labels joined by dots, at most 253.
    case subdomain
    /// A subdomain whose first label may be `*`.
    case hostname
    /// As ``subdomain``, or empty for the core group.
    case group
    /// A kind's name: letters, digits and '-'.
    case kind
    /// `DOMAIN/PATH`.
    case controllerName
    case protocolName
    case addressType
    /// Labels that may also have underscores, with or without a final dot.
    case resolvableName
    case absolutePath
    /// As ``absolutePath``, or empty for none.
    case folder
    /// See ``GatewayDuration``.
    case duration
    /// An absolute URI with an authority: `SCHEME://…`.
    case uri
    /// `System`, or a name with a domain before it.
    case wellKnownCertificates
    /// What a label's value may be.
    case labelValue
    /// A key in a Secret or ConfigMap.
    case dataKey
    /// What a reference may give as a key: the characters of ``dataKey``, in any order.
    case dataKeyReference
    /// A text in which one `*`, as the first or last character, stands for any.
    case starred
    /// The SHA-256 of a public key in base64.
    case publicKeyHash
    /// Bytes in base64, of the standard alphabet and padded.
    case base64
    /// A host name without `*`, or `FromClient`.
    case serverName
}

extension TextRule {
    func isSatisfied(by text: String) -> Bool {
        switch self {
        case .label: isLabel(text)
        case .subdomain: isSubdomain(text)
        case .hostname: isSubdomain(text.hasPrefix("*.") ? text.dropFirst(2) : text[...])
        case .group: text.isEmpty || isSubdomain(text)
        case .kind: isKind(text)
        case .controllerName: isDomainPath(text, tail: isPathByte)
        case .protocolName: isProtocolName(text)
        case .addressType: isAddressType(text)
        case .resolvableName: isResolvableName(text)
        case .absolutePath: text.hasPrefix("/")
        case .folder: text.isEmpty || (text.hasPrefix("/") && !text.utf8.contains(UInt8(ascii: "\n")))
        case .duration: GatewayDuration(text) != nil
        case .uri: isURI(text)
        case .wellKnownCertificates: text == "System" || isQualifiedName(text, needsPrefix: true)
        case .labelValue: text.isEmpty || isQualifiedPart(text)
        case .dataKey: isDataKey(text)
        case .dataKeyReference: !text.isEmpty && text.utf8.allSatisfy(isDataKeyByte)
        case .starred: isStarred(text)
        case .publicKeyHash: isPublicKeyHash(text)
        case .base64: isBase64(text)
        case .serverName: text == "FromClient" || isSubdomain(text)
        }
    }

    /// Follows the field's name.
    var words: String {
        switch self {
        case .label: "must consist of lower-case letters, digits and '-', and begin and end with a letter or digit"
        case .subdomain, .group:
            "must consist of lower-case letters, digits, '-' and '.', and each part must begin and end with a letter or "
                + "digit"
        case .hostname: "must be a host name in lower case, such as a.example.com or *.example.com"
        case .kind: "must consist of letters, digits and '-', and begin with a letter"
        case .controllerName: "must be a domain and a path, such as example.com/controller"
        case .protocolName: "must be a protocol such as TCP or TLS, or a domain and a name such as example.com/proto"
        case .addressType: "must be IPAddress, Hostname, NamedAddress, or a domain and a name such as example.com/type"
        case .resolvableName: "must be a host name in lower case, such as db1.example.com"
        case .absolutePath: "must be an absolute path (begin with '/')"
        case .folder: "must be an absolute path (begin with '/') or empty"
        case .duration: "must be a duration such as 1h30m, 10s or 500ms"
        case .uri: "must be an absolute URI, such as spiffe://example.com/workload"
        case .wellKnownCertificates: "must be System, or a domain and a name such as example.com/bundle"
        case .labelValue:
            "must consist of letters, digits, '-', '_' and '.', and begin and end with a letter or digit"
        case .dataKey, .dataKeyReference: "must consist of letters, digits, '-', '_' and '.'"
        case .starred: "may have one '*', as its first or last character"
        case .base64: "must be base64 of the standard alphabet (letters, digits, '+', '/'), padded with '='"
        case .serverName: "must be a host name in lower case, such as db.example.com, or FromClient"
        case .publicKeyHash: "must be a SHA-256 in base64: 43 letters, digits, '+' and '/', and a '='"
        }
    }
}

/// `[a-z0-9]([-a-z0-9]*[a-z0-9])?`, of any length.
private func isPart(_ text: some StringProtocol) -> Bool {
    guard let first = text.utf8.first, let last = text.utf8.suffix(1).first else { return false }
    return isLowerAlphanumeric(first) && isLowerAlphanumeric(last)
        && text.utf8.allSatisfy { isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }
}

private func isLabel(_ text: some StringProtocol) -> Bool { text.utf8.count <= 63 && isPart(text) }

/// Parts joined by dots. As in the API's pattern, a part may be longer than 63; the whole is limited where it stands.
private func isSubdomain(_ text: some StringProtocol) -> Bool {
    let (dot, hyphen) = (UInt8(ascii: "."), UInt8(ascii: "-"))
    var previous = dot
    for byte in text.utf8 {
        // Neither a dot nor a hyphen begins a part, and neither a hyphen nor nothing ends one.
        guard
            isLowerAlphanumeric(byte) || (byte == hyphen && previous != dot)
                || (byte == dot && previous != dot && previous != hyphen)
        else { return false }
        previous = byte
    }
    return previous != dot && previous != hyphen
}

private func isKind(_ text: String) -> Bool {
    guard let first = text.utf8.first, let last = text.utf8.suffix(1).first else { return false }
    return isLetter(first) && isAlphanumeric(last)
        && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
}

/// A subdomain, a slash, and at least one byte more.
private func isDomainPath(_ text: String, tail: (UInt8) -> Bool) -> Bool {
    guard let slash = text.firstIndex(of: "/") else { return false }
    let rest = text[text.index(after: slash)...].utf8
    return isSubdomain(text[..<slash]) && !rest.isEmpty && rest.allSatisfy(tail)
}

private func isPathByte(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || "/-._~%!$&'()*+,;=:".utf8.contains(byte) }

/// `^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$`, or ends in a domain's last byte, a slash and a name.
private func isProtocolName(_ text: String) -> Bool {
    guard let first = text.utf8.first, let last = text.utf8.suffix(1).first else { return false }
    if isAlphanumeric(first), isAlphanumeric(last),
        text.utf8.allSatisfy({ isAlphanumeric($0) || $0 == UInt8(ascii: "-") })
    {
        return true
    }
    return endsInDomainPath(text, tail: isAlphanumeric)
}

/// `^Hostname|IPAddress|NamedAddress|…`: the pattern is not anchored, and neither is this.
private func isAddressType(_ text: String) -> Bool {
    text.hasPrefix("Hostname") || text.contains("IPAddress") || text.contains("NamedAddress")
        || endsInDomainPath(text, tail: isPathByte)
}

private func endsInDomainPath(_ text: String, tail: (UInt8) -> Bool) -> Bool {
    let bytes = Array(text.utf8)
    return bytes.indices.dropFirst().contains { index in
        bytes[index] == UInt8(ascii: "/") && isLowerAlphanumeric(bytes[index - 1])
            && index + 1 < bytes.count && bytes[(index + 1)...].allSatisfy(tail)
    }
}

/// `^[a-z0-9_]([-a-z0-9_]*[a-z0-9])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9])?)*\.?$`
private func isResolvableName(_ text: String) -> Bool {
    let underscore = UInt8(ascii: "_")
    let name = text.hasSuffix(".") ? text.dropLast() : Substring(text)
    return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
        guard let first = part.utf8.first, let last = part.utf8.suffix(1).first else { return false }
        return (isLowerAlphanumeric(first) || first == underscore)
            && (part.utf8.count == 1 || isLowerAlphanumeric(last))
            && part.utf8.allSatisfy { isLowerAlphanumeric($0) || $0 == underscore || $0 == UInt8(ascii: "-") }
    }
}

private func isURI(_ text: String) -> Bool {
    guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else { return false }
    return !text[..<colon].contains { "/?#".contains($0) } && text[colon...].hasPrefix("://")
}

/// A name of at most 63 with an optional subdomain and slash before it: keys of labels and annotations.
func isQualifiedName(_ text: String, needsPrefix: Bool = false) -> Bool {
    if !needsPrefix, !text.utf8.contains(UInt8(ascii: "/")) { return isQualifiedPart(text) }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 || (parts.count == 1 && !needsPrefix), let name = parts.last else { return false }
    if parts.count == 2, !isSubdomain(parts[0]) || parts[0].utf8.count > 253 { return false }
    return isQualifiedPart(name)
}

/// `([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]`, at most 63.
private func isQualifiedPart(_ text: some StringProtocol) -> Bool {
    guard let first = text.utf8.first, let last = text.utf8.suffix(1).first, text.utf8.count <= 63 else { return false }
    return isAlphanumeric(first) && isAlphanumeric(last)
        && text.utf8.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
}

private func isDataKey(_ text: String) -> Bool {
    !text.isEmpty && text != "." && !text.hasPrefix("..")
        && text.utf8.allSatisfy(isDataKeyByte)
}

private func isDataKeyByte(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || "-_.".utf8.contains(byte) }

/// `^(\*[^*]*|[^*]+\*?)$`
private func isStarred(_ text: String) -> Bool {
    let star = UInt8(ascii: "*")
    let count = text.utf8.count(where: { $0 == star })
    return !text.isEmpty
        && (count == 0 || (count == 1 && (text.utf8.first == star || text.utf8.suffix(1).first == star)))
}

/// `^[A-Za-z0-9+/]{43}=$`
private func isPublicKeyHash(_ text: String) -> Bool {
    text.utf8.count == 44 && text.hasSuffix("=")
        && text.utf8.dropLast().allSatisfy { isAlphanumeric($0) || "+/".utf8.contains($0) }
}

/// `^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$`
private func isBase64(_ text: String) -> Bool {
    let padding = text.utf8.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    return text.utf8.count % 4 == 0 && padding <= 2
        && text.utf8.dropLast(padding).allSatisfy { isAlphanumeric($0) || "+/".utf8.contains($0) }
}

private func isLowerAlphanumeric(_ byte: UInt8) -> Bool { isLowerLetter(byte) || isDigit(byte) }
private func isAlphanumeric(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) }
private func isLetter(_ byte: UInt8) -> Bool { isLowerLetter(byte | 0x20) }
private func isLowerLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
