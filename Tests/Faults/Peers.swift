import Glibc
import Platform
import Primitives
import TestSupport

/// A backend of one kind, connection by connection on threads of their own. Tells of bytes that are not what they should be.
final class Peer: Sendable {
    /// What it expects before an order, and how.
    struct Manner: Sendable {
        var tls: TLSServerOptions?
        /// A PROXY header, version 2.
        var hasHeader = false
        /// PostgreSQL's request for TLS.
        var isAsked = false
        /// At a path, instead of a port.
        var path: String?
    }

    let port: UInt16
    private let manner: Manner
    private let verdict: Verdict
    private let context: TLSTestServer?
    private let stopped = Locked(false)

    init(_ manner: Manner, _ verdict: Verdict) throws {
        (self.manner, self.verdict) = (manner, verdict)
        context = try manner.tls.map { try TLSTestServer($0) }
        let unix = try manner.path.map { try UnixTestServer($0) }
        let plain = context == nil && unix == nil ? try PlainServer() : nil
        port = plain?.port ?? context?.port ?? 0
        let context = context
        let accept: @Sendable () throws -> PlainClient = {
            let wait = Duration.milliseconds(200)
            if let unix { return try unix.accept(timeout: wait) }
            if let plain { return try plain.accept(timeout: wait) }
            guard let context else { throw TestFailure("nobody accepts") }
            return try context.acceptPlain(timeout: wait)
        }
        try Thread(named: "peer") { [weak self] in
            while true {
                guard let self, !self.stopped.withLock({ $0 }) else { return }
                guard let stream = try? accept() else { continue }
                _ = try? Thread(named: "peer-one") { self.serve(stream) }.detach()
            }
        }.detach()
    }

    func stop() { stopped.withLock { $0 = true } }

    private func serve(_ plain: PlainClient) {
        defer { plain.close() }
        do {
            if manner.hasHeader { try takeHeader(plain) }
            if manner.isAsked {
                guard try plain.receive(exactly: 8) == sslRequest else {
                    throw MixedUp(description: "no request for TLS")
                }
                try plain.send("S")
            }
            guard let context else { return try serve(plain as any TestStream) }
            let secure = try context.shakeHands(over: plain, timeout: patience)
            try serve(secure as any TestStream)
        } catch let error as MixedUp {
            verdict.violated("a backend: \(error)")
        } catch {}
    }

    private func takeHeader(_ plain: PlainClient) throws {
        let head = try plain.receive(exactly: 16, timeout: patience)
        let signature: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
        guard Array(head[..<12]) == signature else { throw MixedUp(description: "no PROXY header") }
        _ = try plain.receive(exactly: Int(head[14]) << 8 | Int(head[15]), timeout: patience)
    }

    private func serve(_ stream: any TestStream) throws {
        defer { stream.close() }
        let line = try stream.receiveLine(timeout: patience)
        // A health check.
        if line == "PING" { return try stream.send("PONG\n") }
        guard let order = Order(line) else { throw MixedUp(description: "the first line is \"\(line.prefix(40))\"") }
        try stream.receivePattern(order.upwards, order.up)
        try stream.sendPattern(order.downwards, order.down)
        let more = try stream.receive(max: 1, timeout: patience)
        guard more.isEmpty else { throw MixedUp(description: "a byte too many") }
        try stream.halfClose()
    }
}

/// PostgreSQL's SSLRequest.
let sslRequest: [UInt8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]
