internal import Primitives

/// Which Host fields a server answers. A page from elsewhere whose name was rebound to 127.0.0.1 makes a browser send
/// that page's name.
public enum HostPolicy: Hashable, Sendable {
    case any
    /// `localhost`, loopback addresses and these names; any address too (an address can't be rebound) where
    /// `anyAddress`, for a server that is bound to more than loopback.
    case loopback(names: Set<String> = [], anyAddress: Bool = false)

    /// Whether a request with this Host field is answered; a missing field only under ``any``.
    public func admits(_ host: String?) -> Bool {
        guard case .loopback(let names, let anyAddress) = self else { return true }
        guard let host, let name = Self.name(in: host) else { return false }
        if let address = IPAddress(name) { return anyAddress || address.isLoopback }
        return name == "localhost" || names.contains { $0.lowercased() == name }
    }

    /// The host without brackets, port and final dot, in lower case; nil for what is no `host[:port]`.
    private static func name(in host: String) -> String? {
        var rest = Substring(host)
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            let address = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...]
            guard IPAddress(address)?.isV4 == false, isPort(rest) else { return nil }
            return String(address)
        }
        let end = rest.firstIndex(of: ":") ?? rest.endIndex
        guard isPort(rest[end...]) else { return nil }
        rest = rest[..<end]
        if rest.last == "." { rest.removeLast() }
        return rest.isEmpty ? nil : rest.lowercased()
    }

    /// Nothing, or a colon and a port.
    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || (text.first == ":" && (text.count == 1 || UInt16(text.dropFirst()) != nil))
    }
}
