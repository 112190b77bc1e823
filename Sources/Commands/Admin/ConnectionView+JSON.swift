internal import Inspection
internal import Observability

// Written by hand: JSONEncoder takes several times as long, and nine thousand connections are to be listed in an instant. A test
// holds it against what a decoder reads.

extension ConnectionList {
    /// As JSON with sorted keys, and a line feed.
    var json: [UInt8] {
        var output = Array(#"{"connections":"#.utf8)
        output.reserveCapacity(64 + 640 * connections.count)
        append(connections, to: &output)
        output.append(contentsOf: ",\"total\":\(total)}\n".utf8)
        return output
    }
}

extension ClosedConnections {
    /// As JSON, and a line feed.
    var json: [UInt8] {
        var output = Array(#"{"closed":"#.utf8)
        append(closed, to: &output)
        output.append(contentsOf: "}\n".utf8)
        return output
    }
}

private func append(_ views: [ConnectionView], to output: inout [UInt8]) {
    output.append(UInt8(ascii: "["))
    for (index, view) in views.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        append(view, to: &output)
    }
    output.append(UInt8(ascii: "]"))
}

private func append(_ view: ConnectionView, to output: inout [UInt8]) {
    // The first name has no comma before it.
    output.append(contentsOf: "{\"ageMilliseconds\":\(view.ageMilliseconds)".utf8)
    append("alpn", view.alpn, to: &output)
    append("attempts", view.attempts, to: &output)
    append("backend", view.backend, to: &output)
    append("client", view.client, to: &output)
    append("endpoint", view.endpoint, to: &output)
    append("id", view.id, to: &output)
    append("idleMilliseconds", view.idleMilliseconds, to: &output)
    append("listener", view.listener, to: &output)
    append("peer", view.peer, to: &output)
    append("port", view.port, to: &output)
    append("proxyProtocolVersion", view.proxyProtocolVersion, to: &output)
    append("proxyUniqueID", view.proxyUniqueID, to: &output)
    append("requestBytes", view.requestBytes, to: &output)
    append("requestRate", view.requestRate, to: &output)
    append("responseBytes", view.responseBytes, to: &output)
    append("responseRate", view.responseRate, to: &output)
    append("route", view.route, to: &output)
    append("serverName", view.serverName, to: &output)
    append("state", view.state, to: &output)
    append("tlsCipher", view.tlsCipher, to: &output)
    append("tlsVersion", view.tlsVersion, to: &output)
    output.append(UInt8(ascii: "}"))
}

private func append(_ name: StaticString, to output: inout [UInt8]) {
    output.append(contentsOf: ",\"".utf8)
    name.withUTF8Buffer { output.append(contentsOf: $0) }
    output.append(contentsOf: "\":".utf8)
}

private func append(_ name: StaticString, _ text: String?, to output: inout [UInt8]) {
    guard let text else { return }
    append(name, to: &output)
    JSONText.append(text, to: &output)
}

private func append(_ name: StaticString, _ number: (some BinaryInteger)?, to output: inout [UInt8]) {
    guard let number else { return }
    append(name, to: &output)
    output.append(contentsOf: String(number).utf8)
}
