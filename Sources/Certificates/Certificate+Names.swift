internal import COpenSSL
internal import Primitives

extension Certificate {
    /// The DNS names it stands for, and what was passed over and why.
    struct Names {
        var patterns: [HostnamePattern] = []
        var problems: [String] = []

        /// A wildcard counts as the whole left-most label only; everything that is no host name in ASCII is passed over.
        fileprivate mutating func add(_ bytes: [UInt8]) {
            let text = String(decoding: bytes, as: UTF8.self)
            let isWildcard = bytes.starts(with: "*.".utf8)
            guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), let pattern = HostnamePattern(text),
                isWildcard || !bytes.contains(UInt8(ascii: "*"))
            else {
                problems.append("name \(printable(text)) is not a host name and is not served")
                return
            }
            if !patterns.contains(pattern) { patterns.append(pattern) }
        }
    }

    /// From subjectAltName, or from the common name where it has no DNS names.
    var names: Names {
        defer { ERR_clear_error() }
        var names = Names()
        var hasDNSNames = false
        if let raw = X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil) {
            let stack = OpaquePointer(raw)
            defer { GENERAL_NAMES_free(stack) }
            for index in 0..<max(0, OPENSSL_sk_num(stack)) {
                guard let entry = OPENSSL_sk_value(stack, index)?.assumingMemoryBound(to: GENERAL_NAME.self),
                    entry.pointee.type == GEN_DNS, let name = entry.pointee.d.dNSName
                else { continue }
                hasDNSNames = true
                names.add(stringBytes(name))
            }
        }
        if !hasDNSNames { addCommonName(to: &names) }
        return names
    }

    private func addCommonName(to names: inout Names) {
        guard let subject = X509_get_subject_name(pointer) else { return }
        let index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard index >= 0, let entry = X509_NAME_get_entry(subject, index),
            let value = X509_NAME_ENTRY_get_data(entry)
        else { return }
        var utf8: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&utf8, value)
        guard count >= 0, let utf8 else { return }
        defer { sluice_openssl_free(utf8) }
        let bytes = Array(UnsafeBufferPointer(start: utf8, count: Int(count)))
        // A common name need not be a host name: only one that could be is taken, and clients ignore it all the same.
        var candidate = Names()
        candidate.add(bytes)
        guard !candidate.patterns.isEmpty else { return }
        names.patterns += candidate.patterns
        names.problems.append("the certificate has no DNS name in subjectAltName: most clients ignore the common name")
    }
}

private func stringBytes(_ string: UnsafePointer<ASN1_STRING>) -> [UInt8] {
    let count = Int(ASN1_STRING_length(string))
    guard count > 0, let data = ASN1_STRING_get0_data(string) else { return [] }
    return Array(UnsafeBufferPointer(start: data, count: count))
}

/// Quoted, cut, and without control characters.
private func printable(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(80).map { $0.value < 0x20 || $0.value == 0x7f ? "?" : String($0) }
    return "\"" + shown.joined() + "\""
}
