internal import Inspection

// Written by hand, as nine thousand connections are to be listed in less than 200 ms: that takes 50 ms so, and 190 ms with
// JSONEncoder, which leaves nothing for the rest (4.3 MB, release build, a virtual machine). A test holds it against what a decoder reads.

extension ConnectionList {
    /// As JSON with sorted keys, and a line feed.
    var json: [UInt8] {
        var writer = JSONWriter(capacity: 64 + 640 * connections.count)
        writer.object { writer in
            writer.field("connections", connections) { $1.write(to: &$0) }
            writer.field("total", total)
        }
        return writer.bytes + [UInt8(ascii: "\n")]
    }
}

extension ClosedConnections {
    /// As JSON, and a line feed.
    var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { $0.field("closed", closed) { $1.write(to: &$0) } }
        return writer.bytes + [UInt8(ascii: "\n")]
    }
}

extension ConnectionView {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("ageMilliseconds", ageMilliseconds)
        writer.field("alpn", alpn)
        writer.field("attempts", attempts)
        writer.field("backend", backend)
        writer.field("client", client)
        writer.field("endpoint", endpoint)
        writer.field("id", id)
        writer.field("idleMilliseconds", idleMilliseconds)
        writer.field("listener", listener)
        writer.field("peer", peer)
        writer.field("port", port)
        writer.field("proxyProtocolVersion", proxyProtocolVersion)
        writer.field("proxyUniqueID", proxyUniqueID)
        writer.field("requestBytes", requestBytes)
        writer.field("requestRate", requestRate)
        writer.field("responseBytes", responseBytes)
        writer.field("responseRate", responseRate)
        writer.field("route", route)
        writer.field("serverName", serverName)
        writer.field("state", state)
        writer.field("tlsCipher", tlsCipher)
        writer.field("tlsVersion", tlsVersion)
    }
}
