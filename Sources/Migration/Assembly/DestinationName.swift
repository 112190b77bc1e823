internal import Primitives

/// What a host written in a configuration leads to.
enum DestinationName {
    static func isAddress(_ host: String) -> Bool { IPAddress(host) != nil }

    /// The Service of a cluster-internal name (`db.shop.svc`, `db.shop.svc.cluster.local`); nil for other names.
    static func service(_ host: String) -> ObjectName? {
        let labels = host.lowercased().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let trimmed = labels.last == "" ? Array(labels.dropLast()) : labels
        guard trimmed.count >= 3, trimmed[2] == "svc" else { return nil }
        guard trimmed.count == 3 || Array(trimmed[3...]) == ["cluster", "local"] else { return nil }
        return ObjectName(namespace: trimmed[1], name: trimmed[0])
    }

    /// The target for a host and port; nil where the host is no address and no name. `localhost` is 127.0.0.1.
    static func target(_ host: String, port: Int, name: String, weight: Int? = nil, fallback: Bool = false)
        -> Target.Destination?
    {
        guard (1...65535).contains(port) else { return nil }
        if let service = service(host) { return .service(service, port: port) }
        guard let host = endpointHost(host) else { return nil }
        return .endpoints(name: name, [Endpoint(host: host, port: port, weight: weight)], fallback: fallback)
    }

    /// The host as a Backend takes it; nil where it does not.
    static func endpointHost(_ host: String) -> String? {
        var text = host.lowercased()
        if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
        if text == "localhost" { return "127.0.0.1" }
        if let address = IPAddress(text) { return address.unmapped.description }
        if text.last == "." { text.removeLast() }
        return HostnamePattern.isDNSName(text) ? text : nil
    }

    /// `host:port`, with IPv6 in brackets; the port may be missing.
    static func split(_ text: String) -> (host: String, port: Int?)? {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let rest = text[text.index(after: end)...]
            let host = String(text[text.index(after: text.startIndex)..<end])
            if rest.isEmpty { return (host, nil) }
            guard rest.first == ":", let port = Int(rest.dropFirst()) else { return nil }
            return (host, port)
        }
        guard let colon = text.lastIndex(of: ":") else { return (text, nil) }
        guard text.firstIndex(of: ":") == colon, let port = Int(text[text.index(after: colon)...]) else { return nil }
        return (String(text[..<colon]), port)
    }
}
