internal import Inspection

/// Replaces clients' addresses by names that tell them apart and nothing else: `client-1`. Values only.
struct ClientMask {
    private var names: [String: String] = [:]

    mutating func masked(_ list: ConnectionList) -> ConnectionList {
        var list = list
        for index in list.connections.indices {
            list.connections[index].client = masked(list.connections[index].client)
            list.connections[index].peer = masked(list.connections[index].peer)
            // A proxy may have made it of the client's address.
            list.connections[index].proxyUniqueID = nil
        }
        return list
    }

    /// Of an address with its port.
    private mutating func masked(_ address: String) -> String {
        let host = String(address.lastIndex(of: ":").map { address[..<$0] } ?? address[...])
        let name = names[host] ?? "client-\(names.count + 1)"
        names[host] = name
        return name
    }
}

/// How many connections there are of each kind, and some of them.
struct ConnectionSummary: Codable, Hashable, Sendable {
    var total: Int
    /// Of those that were looked at.
    var states: [String: Int]
    var listeners: [String: Int]
    var routes: [String: Int]
    var backends: [String: Int]
    /// The oldest first.
    var sample: [ConnectionView]

    static let most = 200

    init(_ list: ConnectionList) {
        total = list.total
        func counts(_ key: (ConnectionView) -> String?) -> [String: Int] {
            list.connections.reduce(into: [:]) { $0[key($1) ?? "none", default: 0] += 1 }
        }
        states = counts(\.state)
        (listeners, routes, backends) = (counts(\.listener), counts(\.route), counts(\.backend))
        sample = Array(
            list.connections.sorted { $0.ageMilliseconds > $1.ageMilliseconds }.prefix(ConnectionSummary.most))
    }
}

/// Takes private keys out of a text, should one have got there: what stands between the lines that begin and end it.
func withoutPrivateKeys(_ bytes: [UInt8]) -> [UInt8] {
    var text = String(decoding: bytes, as: UTF8.self)
    guard text.contains("PRIVATE KEY-----") else { return bytes }
    while let begin = text.firstRange(of: "-----BEGIN "), let mark = text[begin.upperBound...].firstRange(of: "-----") {
        let kind = text[begin.upperBound..<mark.lowerBound]
        let end = text[mark.upperBound...].firstRange(of: "-----END \(kind)-----")?.upperBound ?? text.endIndex
        let isKey = kind.hasSuffix("PRIVATE KEY")
        // Certificates stay; their mark must not be found again.
        let kept =
            isKey ? "(left out)" : text[begin.lowerBound..<end].replacing("-----BEGIN ", with: "-----\u{1}BEGIN ")
        text.replaceSubrange(begin.lowerBound..<end, with: String(kept))
    }
    return Array(text.replacing("\u{1}", with: "").utf8)
}
