internal import EngineModel
internal import Primitives

// HAProxy's line for TCP (its configuration manual, section 8.2.2), for those who have parsers for it:
// client [accept date] frontend backend/server Tw/Tc/Tt bytes termination actconn/feconn/beconn/srvconn/retries queues

extension AccessEntry {
    func writeHAProxy(to buffer: inout LineBuffer) {
        buffer.append(record.pointee.client.ip)
        buffer.append(UInt8(ascii: ":"))
        buffer.append(decimal: UInt64(record.pointee.client.port))
        buffer.append(" [")
        buffer.append(haproxyTime: startTime)
        buffer.append("] ")
        writeNames(to: &buffer)
        writeTimes(to: &buffer)
        // Lines that come before the end have a + before what may still grow, as with `option logasap`.
        if record.pointee.event != .close { buffer.append(UInt8(ascii: "+")) }
        buffer.append(decimal: record.pointee.sent)
        buffer.append(UInt8(ascii: " "))
        let (first, second) = termination
        buffer.append(first)
        buffer.append(second)
        buffer.append(UInt8(ascii: " "))
        for index in 0..<4 {
            buffer.append(decimal: UInt64(max(0, record.pointee.others[index])))
            buffer.append(UInt8(ascii: "/"))
        }
        buffer.append(decimal: UInt64(max(1, record.pointee.attempts) - 1))
        // Nobody waits for an endpoint: there is one line, the backend's.
        buffer.append(" 0/")
        buffer.append(decimal: UInt64(max(0, record.pointee.ahead)))
    }

    /// Frontend: gateway and listener, with ~ where TLS is terminated. Where no backend or server was chosen: the listener,
    /// and <NOSRV>.
    private func writeNames(to buffer: inout LineBuffer) {
        writeListener(to: &buffer)
        if record.pointee.flags.contains(.isTerminated) { buffer.append(UInt8(ascii: "~")) }
        buffer.append(UInt8(ascii: " "))
        if let backend = name(.backend) {
            for byte in backend {
                buffer.append(byte == UInt8(ascii: " ") || byte == UInt8(ascii: "/") ? UInt8(ascii: "_") : byte)
            }
        } else {
            writeListener(to: &buffer)
        }
        buffer.append(UInt8(ascii: "/"))
        if has(.upstreamHost) { write(.upstreamHost, to: &buffer) } else { buffer.append("<NOSRV>") }
        buffer.append(UInt8(ascii: " "))
    }

    private func writeListener(to buffer: inout LineBuffer) {
        for (index, part) in [name(.gateway), name(.listener)].enumerated() {
            guard let part else { continue }
            if index > 0 { buffer.append(UInt8(ascii: "_")) }
            for byte in part { buffer.append(byte == UInt8(ascii: "/") ? UInt8(ascii: "_") : byte) }
        }
    }

    /// Waited, connected, in all: milliseconds; -1 where it did not come that far.
    private func writeTimes(to buffer: inout LineBuffer) {
        // Who never stood in a line waited for nothing, once an endpoint was chosen.
        let waited = record.pointee.attempts > 0 ? max(0, record.pointee.queue) : record.pointee.queue
        for time in [waited, record.pointee.connect] {
            if time < 0 { buffer.append("-1") } else { buffer.append(decimal: UInt64(time / 1_000_000)) }
            buffer.append(UInt8(ascii: "/"))
        }
        if record.pointee.event != .close { buffer.append(UInt8(ascii: "+")) }
        buffer.append(decimal: UInt64(max(0, duration) / 1_000_000))
        buffer.append(UInt8(ascii: " "))
    }

    /// The two letters of HAProxy's termination state (section 8.5 of its manual): who or what, and when.
    private var termination: (UInt8, UInt8) {
        guard record.pointee.event == .close else { return (UInt8(ascii: "-"), UInt8(ascii: "-")) }
        let reason = record.pointee.reason
        let isRelaying = record.pointee.stage == .relaying
        if isRelaying, reason == .clientClosed || reason == .backendClosed {
            return (UInt8(ascii: "-"), UInt8(ascii: "-"))
        }
        let waited = reason == .queueTimeout || reason == .queueFull
        let second: UInt8 =
            switch record.pointee.stage {
            case .relaying: UInt8(ascii: "D")
            case .connecting: waited ? UInt8(ascii: "Q") : UInt8(ascii: "C")
            case .opening: UInt8(ascii: "R")
            }
        return (reason.haproxyLetter(record.pointee.side), second)
    }
}

extension CloseReason {
    /// C, S: aborted by that side; c, s: its time ran out; P: by the proxy, a rule or limit; R: out of a resource; I: an error
    /// of ours; D: its server is down; U: a primary is up again; K: killed by an operator.
    fileprivate func haproxyLetter(_ side: CloseSide) -> UInt8 {
        switch self {
        case .clientClosed, .clientReset: UInt8(ascii: "C")
        case .backendClosed, .backendReset, .connectRefused, .connectUnreachable, .backendTLSError, .noEndpoints,
            .noHealthyEndpoint, .dnsError:
            UInt8(ascii: "S")
        case .tlsTruncated: side == .backend ? UInt8(ascii: "S") : UInt8(ascii: "C")
        case .idleTimeout, .clientIdleTimeout, .firstByteTimeout, .halfCloseTimeout, .inspectionTimeout,
            .tlsHandshakeTimeout, .proxyProtocolTimeout:
            UInt8(ascii: "c")
        case .serverIdleTimeout, .connectTimeout, .queueTimeout: UInt8(ascii: "s")
        case .overload: UInt8(ascii: "R")
        case .internalError: UInt8(ascii: "I")
        case .endpointUnhealthy, .endpointRemoved: UInt8(ascii: "D")
        case .primaryRecovered: UInt8(ascii: "U")
        case .drain, .routeDeleted, .listenerRemoved, .adminClosed: UInt8(ascii: "K")
        default: UInt8(ascii: "P")
        }
    }
}

extension LineBuffer {
    /// `06/Feb/2009:12:12:51.443`, in UTC.
    fileprivate mutating func append(haproxyTime time: Int64) {
        let start = count
        append(time: time)
        // Out of 2009-02-06T12:12:51.443Z.
        let text = Array(bytes[start...])
        truncate(to: start)
        let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)
        let month = Int(text[5] - 48) * 10 + Int(text[6] - 48) - 1
        append(Array(text[8..<10]) + [UInt8(ascii: "/")] + months[(3 * month)..<(3 * month + 3)])
        append([UInt8(ascii: "/")] + text[0..<4] + [UInt8(ascii: ":")] + text[11..<23])
    }
}
