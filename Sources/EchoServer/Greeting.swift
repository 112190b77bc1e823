internal import Observability

/// What a TLS handshake brought to light.
struct TLSFacts: Equatable {
    var serverName: String?
    var alpn: String?
    /// `TLSv1.3`.
    var version: String
}

/// The first line: who answers and whom it sees. Keys always in this order; sni and alpn only where the client sent and
/// both agreed, tls only over TLS.
func greeting(name: String, client: String, tls: TLSFacts?) -> [UInt8] {
    var line: [UInt8] = []
    let fields: [(String, String?)] = [
        ("backend", name), ("client", client), ("sni", tls?.serverName), ("alpn", tls?.alpn), ("tls", tls?.version),
    ]
    for (key, value) in fields {
        guard let value else { continue }
        line.append(UInt8(ascii: line.isEmpty ? "{" : ","))
        JSONText.append(key, to: &line)
        line.append(UInt8(ascii: ":"))
        JSONText.append(value, to: &line)
    }
    return line + Array("}\n".utf8)
}
