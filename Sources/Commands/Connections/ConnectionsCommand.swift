internal import Inspection
internal import Platform

/// `sluice connections`: lists or closes what is open at a running gateway.
public struct ConnectionsCommand: Sendable {
    private let options: ConnectionsOptions

    public init(options: ConnectionsOptions) { self.options = options }

    /// Prints what it found, or closed. Throws one line for standard error.
    public func run() throws { try run(print: StandardStream.output.write) }

    func run(print: (String) throws(Errno) -> Void) throws {
        let session = try RemoteSession(options.remote.target, command: "connections")
        defer { session.close() }
        let parameters = options.parameters.map { (name: $0.name, value: String?.some($0.value)) }
        if options.closes {
            let answer = try session.post(ClosedConnections.self, "/connections/close", parameters)
            try options.remote.show(print: print) {
                try options.remote.output.text(answer) { isWide in
                    let count = answer.closed.count
                    let closing = count == 1 ? "1 connection closed\n" : "\(count) connections closed\n"
                    return (count == 0 ? "" : ConnectionsCommand.table(answer.closed, isWide)) + closing
                }
            }
            return
        }
        try options.remote.show(print: print) {
            let answer = try session.get(ConnectionList.self, "/connections", parameters)
            return try options.remote.output.text(answer) { isWide in
                let count = answer.connections.count
                if answer.total == 0 { return "no connection\(options.parameters.isEmpty ? " is open" : " fits")\n" }
                let table = ConnectionsCommand.table(answer.connections, isWide)
                return count == answer.total ? table : table + "\(count) of \(answer.total) connections (--limit)\n"
            }
        }
    }

    /// For people. In-rates are from the client, out-rates to it.
    static func table(_ views: [ConnectionView], _ isWide: Bool) -> String {
        let heading = [
            "ID", "STATE", "AGE", "IDLE", "CLIENT", "LISTENER", "ROUTE", "ENDPOINT", "SNI", "IN", "OUT", "IN/s",
            "OUT/s",
        ]
        let more = ["PEER", "PORT", "BACKEND", "TRIES", "TLS", "CIPHER", "ALPN", "PROXY", "PROXY-ID"]
        var table = TextTable(heading + (isWide ? more : []), right: [2, 3, 9, 10, 11, 12])
        for view in views {
            let cells: [String?] = [
                view.id, view.state, spanText(milliseconds: view.ageMilliseconds),
                spanText(milliseconds: view.idleMilliseconds), view.client, view.listener, view.route, view.endpoint,
                view.serverName, byteText(view.requestBytes), byteText(view.responseBytes),
                view.requestRate.map(byteText), view.responseRate.map(byteText),
            ]
            let others: [String?] = [
                view.peer, view.port.map(String.init), view.backend, "\(view.attempts)", view.tlsVersion,
                view.tlsCipher,
                view.alpn, view.proxyProtocolVersion.map { "v\($0)" }, view.proxyUniqueID,
            ]
            table.add((cells + (isWide ? others : [])).map { $0.map(visible) })
        }
        return table.text
    }

    /// Nothing that a client sent moves a terminal's cursor.
    private static func visible(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    $0.properties.generalCategory == .control || $0.properties.generalCategory == .format
                        ? "\u{FFFD}" : $0
                }))
    }
}
