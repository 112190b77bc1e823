internal import EngineCore
internal import EngineModel

/// What becomes of a connection whose client says this, whatever pieces it comes in.
enum ConnectionVerdict: Equatable {
    /// The backend gets the client's stream from `from` on, behind what Sluice says itself; `answers`: what the client has heard of us.
    case served(from: Int, asksForTLS: Bool, answers: [UInt8])
    /// No backend hears of it, but where it was asked for TLS; `answers`: all that the client hears.
    case refused(CloseReason, answers: [UInt8], isReset: Bool)
    /// More bytes decide; nobody looks before the stream is that long, or over.
    case undecided(answers: [UInt8], length: Int)
    /// How bytes fell together decides.
    case uncertain

    /// `isOver`: the client has ended its stream behind these bytes.
    init(_ mode: ListenerMode, _ stream: [UInt8], isOver: Bool) {
        switch mode {
        case .plain: self = .served(from: 0, asksForTLS: false, answers: [])
        case .dead: self = .refused(.connectRefused, answers: [], isReset: true)
        case .proxied, .optional: self = .behindHeader(mode, stream, isOver)
        case .passthrough: self = .behindHello(stream, from: 0, asksForTLS: false, answers: [])
        case .postgres: self = .behindRequest(stream)
        }
    }

    private static func behindHeader(_ mode: ListenerMode, _ stream: [UInt8], _ isOver: Bool) -> ConnectionVerdict {
        let plain = served(from: 0, asksForTLS: false, answers: [])
        let isOptional = mode == .optional
        switch stream.withUnsafeBytes({ ProxyHeader.parse($0) }) {
        case .header(let header): return served(from: header.consumedBytes, asksForTLS: false, answers: [])
        case .notProxy(let matching):
            if isOptional { return plain }
            return refused(matching == 0 ? .proxyProtocolMissing : .proxyProtocolMalformed, answers: [], isReset: true)
        case .malformed, .tooLarge: return refused(.proxyProtocolMalformed, answers: [], isReset: true)
        case .needMore(let total):
            // A plain client may have no more to say than the beginning of a signature.
            let isSigned = stream.count >= (stream.first == UInt8(ascii: "P") ? 5 : 12)
            return isOptional && isOver && !isSigned ? plain : undecided(answers: [], length: total)
        }
    }

    private static func behindRequest(_ stream: [UInt8]) -> ConnectionVerdict {
        var (answers, offset) = ([UInt8](), 0)
        while true {
            switch stream[offset...].withUnsafeBytes({ PostgresStart.parse($0) }) {
            case .needMore(let total): return undecided(answers: answers, length: offset + total)
            case .sslRequest:
                return behindHello(
                    stream, from: offset + PostgresStart.requestLength, asksForTLS: true,
                    answers: answers + [PostgresStart.accept])
            case .gssEncryptionRequest:
                if !answers.isEmpty { return refused(.startTLSError, answers: answers, isReset: true) }
                (answers, offset) = ([PostgresStart.refuse], offset + PostgresStart.requestLength)
            case .clientHello: return behindHello(stream, from: offset, asksForTLS: false, answers: answers)
            case .startup, .cancelRequest:
                return refused(
                    .startTLSError, answers: answers + PostgresErrorResponse.fatal("TLS required"), isReset: false)
            case .notPostgres: return refused(.startTLSError, answers: answers, isReset: true)
            }
        }
    }

    private static func behindHello(
        _ stream: [UInt8], from offset: Int, asksForTLS: Bool, answers: [UInt8]
    ) -> ConnectionVerdict {
        switch stream[offset...].withUnsafeBytes({ ClientHello.parse($0) }) {
        case .needMore(let total): undecided(answers: answers, length: offset + total)
        case .notTLS, .malformed: refused(.notTLS, answers: answers, isReset: true)
        case .tooLarge: refused(.clientHelloTooLarge, answers: answers, isReset: true)
        case .hello(let hello) where hello.serverName == "a.test":
            served(from: offset, asksForTLS: asksForTLS, answers: answers)
        case .hello: refused(.tlsNoSNIMatch, answers: answers + alert(112), isReset: false)
        }
    }

    /// Fatal, of that number.
    static func alert(_ number: UInt8) -> [UInt8] { [21, 3, 3, 0, 2, 2, number] }
}
