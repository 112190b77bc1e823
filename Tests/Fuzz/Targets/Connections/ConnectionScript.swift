internal import EngineCore

/// What both ends of one connection do, and in which order, as the input has it.
struct ConnectionScript {
    enum Step {
        case send(ScriptedSide, Int)
        case end(ScriptedSide)
        case reset(ScriptedSide)
        /// Stops reading, or goes on.
        case pause(ScriptedSide)
        /// Until everything has come that can.
        case settle
        /// Whatever is ready, without waiting.
        case breathe
    }

    var mode: ListenerMode
    /// What the client says before its own bytes, piece by piece; it waits for an answer in between.
    var opening: [[UInt8]]
    /// What the backend says to a request for TLS.
    var answer: UInt8
    var steps: [Step] = []

    init(_ input: inout FuzzInput) {
        mode = ListenerMode.allCases[input.number(below: ListenerMode.allCases.count)]
        opening = ConnectionScript.opening(mode, &input)
        answer = input.byte() % 8 == 7 ? UInt8(ascii: "N") : UInt8(ascii: "S")
        while !input.isEmpty, steps.count < 40 { steps.append(ConnectionScript.step(&input)) }
    }

    private static func step(_ input: inout FuzzInput) -> Step {
        let kind = input.byte()
        let side: ScriptedSide = kind & 1 == 0 ? .client : .backend
        switch (kind >> 1) % 16 {
        case 0...4: return .send(side, 1 + input.number(below: 64))
        case 5: return .send(side, 1 + input.number(below: 256) * 16)
        // So much that it is spliced, and does not fit anywhere.
        case 6: return .send(side, 1 + input.number(below: 256) * 2048)
        case 7, 8: return .end(side)
        case 9: return .reset(side)
        case 10: return .pause(side)
        case 11, 12: return .settle
        default: return .breathe
        }
    }

    // MARK: What a client says first

    private static func opening(_ mode: ListenerMode, _ input: inout FuzzInput) -> [[UInt8]] {
        let kind = input.byte()
        var pieces: [[UInt8]]
        switch mode {
        case .plain, .dead: pieces = []
        case .proxied, .optional: pieces = [header(kind % 8, &input)]
        case .passthrough: pieces = [hello(kind % 6, &input)]
        case .postgres: pieces = postgres(kind % 8, &input)
        }
        // One byte is another one.
        if kind >= 224, let last = pieces.indices.last, !pieces[last].isEmpty {
            let place = input.number(below: min(pieces[last].count, 256))
            pieces[last][place] ^= input.byte()
        }
        return pieces.filter { !$0.isEmpty }
    }

    private static func header(_ kind: UInt8, _ input: inout FuzzInput) -> [UInt8] {
        switch kind {
        case 0: return Array("PROXY TCP4 203.0.113.7 198.51.100.1 4660 443\r\n".utf8)
        case 1: return Array("PROXY TCP6 2001:db8::7 2001:db8::1 4660 443\r\n".utf8)
        case 2: return Array("PROXY UNKNOWN\r\n".utf8)
        case 3:
            return signature + [
                0x21, 0x11, 0, 19, 203, 0, 113, 7, 198, 51, 100, 1, 18, 52, 1, 187, 4, 0, 4, 0, 0, 0, 0,
            ]
        case 4: return signature + [0x20, 0, 0, 0]
        case 5: return signature + [0x21, 0, 0, 0]
        case 6: return []
        default: return input.bytes(input.number(below: 64))
        }
    }

    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]

    private static func postgres(_ kind: UInt8, _ input: inout FuzzInput) -> [[UInt8]] {
        let (request, gss) = (PostgresStart.sslRequestBytes, [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30] as [UInt8])
        switch kind {
        case 0, 1: return [request, hello(0, &input)]
        case 2: return [gss, request, hello(0, &input)]
        case 3: return [hello(0, &input)]
        case 4: return [[0, 0, 0, 23, 0, 3, 0, 0] + Array("user\0alice\0\0\0\0\0".utf8)]
        // At once, without waiting for the answer.
        case 5: return [request + hello(0, &input)]
        case 6: return [request, hello(1, &input)]
        default: return [input.bytes(input.number(below: 32))]
        }
    }

    /// A ClientHello in records of any size.
    private static func hello(_ kind: UInt8, _ input: inout FuzzInput) -> [UInt8] {
        if kind == 5 { return input.bytes(input.number(below: 64)) }
        var extensions: [UInt8] = []
        let name = Array((kind == 1 ? "other.test" : "a.test").utf8)
        if kind != 2 {
            let count = UInt8(name.count)
            extensions += [0, 0, 0, count + 5, 0, count + 3, 0, 0, count] + name
        }
        if kind == 3 { extensions += [0, 21, 12, 0] + [UInt8](repeating: 0, count: 3072) }
        var body: [UInt8] = [3, 3] + [UInt8](repeating: 7, count: 32) + [0, 0, 2, 0x13, 1, 1, 0]
        body += [UInt8(extensions.count >> 8), UInt8(extensions.count & 255)] + extensions
        let message = [1, 0, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
        let size = kind == 4 ? 1 + input.number(below: 40) : 16384
        var records: [UInt8] = []
        for start in stride(from: 0, to: message.count, by: size) {
            let part = message[start..<min(start + size, message.count)]
            records += [22, 3, 1, UInt8(part.count >> 8), UInt8(part.count & 255)] + part
        }
        return records
    }
}

enum ScriptedSide: Sendable { case client, backend }
