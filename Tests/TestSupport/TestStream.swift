public import Platform

/// What a client of ours may run into, apart from the ordinary end of a stream.
public enum StreamError: Error, Hashable, Sendable {
    /// Nothing came, or nothing could be written, in the given time; says what was waited for.
    case timedOut(String)
    /// The peer ended its direction where more was expected; what had come by then.
    case ended(after: [UInt8])
    /// TLS: a FIN without close_notify.
    case truncated
    /// A RST.
    case reset
    /// TLS: the peer sent a fatal alert.
    case alert(TLSAlert)
    /// TLS: what OpenSSL says of any other failure, the verification of the peer's certificate included.
    case tls(String)
    case system(Errno)
}

/// How the peer ended its direction.
public enum StreamEnd: Hashable, Sendable {
    /// A FIN, on plain TCP.
    case fin
    /// TLS: close_notify.
    case closeNotify
    /// TLS: a FIN without close_notify.
    case truncated
    case reset
    case alert(TLSAlert)
}

/// An alert of RFC 8446 §6.
public struct TLSAlert: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let handshakeFailure = TLSAlert(rawValue: 40)
    public static let badCertificate = TLSAlert(rawValue: 42)
    public static let unsupportedCertificate = TLSAlert(rawValue: 43)
    public static let certificateRevoked = TLSAlert(rawValue: 44)
    public static let certificateExpired = TLSAlert(rawValue: 45)
    public static let certificateUnknown = TLSAlert(rawValue: 46)
    public static let unknownCA = TLSAlert(rawValue: 48)
    public static let accessDenied = TLSAlert(rawValue: 49)
    public static let decodeError = TLSAlert(rawValue: 50)
    public static let protocolVersion = TLSAlert(rawValue: 70)
    public static let internalError = TLSAlert(rawValue: 80)
    public static let unrecognizedName = TLSAlert(rawValue: 112)
    public static let certificateRequired = TLSAlert(rawValue: 116)
    public static let noApplicationProtocol = TLSAlert(rawValue: 120)

    public var description: String { "alert \(rawValue)" }
}

/// A connection seen by a test: plain or TLS, client or server. One thread may send while another receives.
public protocol TestStream: AnyObject, Sendable {
    /// Sends all of it.
    func send(_ bytes: [UInt8], timeout: Duration) throws
    /// What comes first, 1 to `max` bytes; empty at the ordinary end (FIN on TCP, close_notify on TLS).
    func receive(max: Int, timeout: Duration) throws -> [UInt8]
    /// Ends our direction in the ordinary way and goes on receiving.
    func halfClose() throws
    /// Closes at once: FIN, or RST where bytes wait unread.
    func close()
    /// What an empty `receive` means.
    var ordinaryEnd: StreamEnd { get }
}

extension TestStream {
    public func send(_ bytes: [UInt8]) throws { try send(bytes, timeout: .seconds(10)) }
    public func send(_ text: String) throws { try send(Array(text.utf8)) }

    public func receive(max: Int = 64 << 10) throws -> [UInt8] { try receive(max: max, timeout: .seconds(10)) }

    /// Exactly `count` bytes; `StreamError.ended` where the stream ends before.
    public func receive(exactly count: Int, timeout: Duration = .seconds(10)) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let chunk = try receive(max: min(count - bytes.count, 256 << 10), timeout: timeout)
            guard !chunk.isEmpty else { throw StreamError.ended(after: bytes) }
            bytes += chunk
        }
        return bytes
    }

    /// Everything up to and with the first `delimiter`, not a byte more.
    public func receive(until delimiter: UInt8, timeout: Duration = .seconds(10)) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.last != delimiter {
            let next = try receive(max: 1, timeout: timeout)
            guard !next.isEmpty else { throw StreamError.ended(after: bytes) }
            bytes += next
        }
        return bytes
    }

    /// One line without its newline.
    public func receiveLine(timeout: Duration = .seconds(10)) throws -> String {
        String(decoding: try receive(until: UInt8(ascii: "\n"), timeout: timeout).dropLast(), as: UTF8.self)
    }

    /// Everything up to the ordinary end.
    public func receiveAll(timeout: Duration = .seconds(10)) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let chunk = try receive(max: 256 << 10, timeout: timeout)
            if chunk.isEmpty { return bytes }
            bytes += chunk
        }
    }

    /// Sends `bytes` and expects the same back.
    public func exchange(_ bytes: [UInt8]) throws {
        try send(bytes)
        let answer = try receive(exactly: bytes.count)
        guard answer == bytes else { throw TestFailure("\(bytes.count) bytes came back changed") }
    }

    public func exchange(_ text: String) throws { try exchange(Array(text.utf8)) }

    /// How the peer ended its direction; bytes before that are dropped.
    public func waitForEnd(timeout: Duration = .seconds(10)) throws -> StreamEnd {
        do {
            while try !receive(max: 256 << 10, timeout: timeout).isEmpty {}
            return ordinaryEnd
        } catch StreamError.truncated {
            return .truncated
        } catch StreamError.reset {
            return .reset
        } catch StreamError.alert(let alert) {
            return .alert(alert)
        }
    }

    /// Sends `count` bytes made from `seed` in pieces and returns their SHA-256.
    public func sendStream(_ count: Int, seed: UInt64) throws -> String {
        var digest = SHA256Stream()
        var sent = 0
        while sent < count {
            let piece = testBytes(min(256 << 10, count - sent), seed: seed &+ UInt64(sent))
            digest.update(piece)
            try send(piece, timeout: .seconds(30))
            sent += piece.count
        }
        return digest.hex()
    }

    /// Receives exactly `count` bytes and returns their SHA-256.
    public func receiveStream(_ count: Int) throws -> String {
        var digest = SHA256Stream()
        var received = 0
        while received < count {
            let piece = try receive(max: min(256 << 10, count - received), timeout: .seconds(30))
            guard !piece.isEmpty else { throw TestFailure("the stream ended after \(received) of \(count) bytes") }
            digest.update(piece)
            received += piece.count
        }
        return digest.hex()
    }
}
