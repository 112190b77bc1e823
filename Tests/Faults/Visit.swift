import Platform
import Primitives
import Synchronization
import TestSupport

/// What became of one client.
enum Outcome: Hashable, Sendable {
    /// Every byte both ways, and the orderly end.
    case served
    /// Ended by the gateway before that.
    case cut
    /// Nobody listened: there was no connection.
    case refused
}

/// Numbers for clients: never the same twice in a run.
let clientNumbers = Atomic<UInt64>(0)

/// One client of one mode, from its connect to the end. Waiting in vain, and bytes that are not its own, are violations.
func visit(_ mode: Mode, port: UInt16, small: Bool, _ verdict: Verdict) -> Outcome {
    let size = small ? 600 : mode == .bulk ? 1 << 20 : mode == .limited ? 100_000 : 20_000
    let order = Order(number: clientNumbers.add(1, ordering: .relaxed).newValue, up: size, down: size)
    var isConnected = false
    do {
        let plain = try PlainClient(port: port, timeout: patience)
        isConnected = true
        if mode == .bulk { try plain.shrinkReceiveBuffer(to: 64 << 10) }
        if mode == .proxyIn { try plain.send("PROXY TCP4 192.0.2.1 192.0.2.2 40000 5432\r\n") }
        if mode == .startTLS {
            try plain.send(sslRequest, timeout: patience)
            guard try plain.receive(exactly: 1, timeout: patience) == Array("S".utf8) else {
                throw MixedUp(description: "another answer than S")
            }
        }
        let stream: any TestStream =
            mode.clientSpeaksTLS
            ? try TLSTestClient(over: plain, TLSClientOptions(serverName: "a.test"), timeout: patience) : plain
        defer { stream.close() }
        try stream.send(Array(order.line.utf8), timeout: patience)
        try stream.sendPattern(order.upwards, order.up)
        try stream.receivePattern(order.downwards, order.down)
        try stream.halfClose()
        guard try stream.receive(max: 1, timeout: patience).isEmpty else {
            throw MixedUp(description: "a byte too many")
        }
        return .served
    } catch let error as MixedUp {
        verdict.violated("\(mode.rawValue), client \(order.number): \(error)")
    } catch StreamError.timedOut(let what) {
        verdict.violated("\(mode.rawValue), client \(order.number) hangs: \(what)")
    } catch let error as Errno where error == .connectionRefused && !isConnected {
        return .refused
    } catch let error as Errno where error != .connectionReset && !isConnected {
        verdict.violated("\(mode.rawValue), client \(order.number) cannot connect: \(error)")
    } catch {}
    return .cut
}
