internal import Primitives

/// The parts of an absolute URL that making a connection needs.
struct URLParts {
    let whole: String
    /// `http` or `https`.
    let scheme: String
    /// Without brackets.
    let host: String
    let port: UInt16
    /// Host and, where it is written, port: what the Host header says.
    let authority: String
    /// From the path on.
    private let rest: Substring

    /// - Throws: where it is no URL of a server, or names a user: credentials do not belong into it.
    init(_ text: String) throws(TransportError) {
        whole = text
        let lower = text.prefix(8).lowercased()
        guard lower.hasPrefix("https://") || lower.hasPrefix("http://") else {
            throw TransportError(.other, "the URL of a request begins with neither https:// nor http://")
        }
        scheme = lower.hasPrefix("https") ? "https" : "http"
        let afterScheme = text.dropFirst(scheme.count + 3)
        let named = afterScheme.prefix { !"/?#".contains($0) }
        rest = afterScheme.dropFirst(named.count)
        authority = String(named)
        guard !named.contains("@") else {
            throw TransportError(.other, "the URL of a request holds a user or a password")
        }
        guard let (host, port) = splitAuthority(named, standard: scheme == "https" ? 443 : 80) else {
            throw TransportError(.other, "the URL of a request holds no usable host and port: \(authority)")
        }
        (self.host, self.port) = (host, port)
    }

    /// For messages: never with a path or a query.
    var origin: String { "\(scheme)://\(authority)" }

    var bracketedHost: String { bracketed(host) }

    /// The same URL with another host.
    func with(host: String) -> String { "\(scheme)://\(bracketed(host)):\(port)\(rest)" }

    /// Proxies of the environment are not asked for these.
    var isLoopback: Bool {
        host.lowercased() == "localhost" || host == "::1" || (host.hasPrefix("127.") && IPAddress(host) != nil)
    }
}

/// An IPv6 address in brackets, anything else as it is.
func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }

private func splitAuthority(_ text: Substring, standard: UInt16) -> (String, UInt16)? {
    var host = text
    var port: Substring?
    if text.hasPrefix("[") {
        guard let end = text.firstIndex(of: "]") else { return nil }
        host = text[text.index(after: text.startIndex)..<end]
        let after = text[text.index(after: end)...]
        guard after.isEmpty || after.hasPrefix(":") else { return nil }
        port = after.isEmpty ? nil : after.dropFirst()
    } else if let colon = text.firstIndex(of: ":") {
        host = text[..<colon]
        port = text[text.index(after: colon)...]
    }
    guard !host.isEmpty else { return nil }
    guard let port, !port.isEmpty else { return (String(host), standard) }
    guard let number = UInt16(port), number > 0 else { return nil }
    return (String(host), number)
}
