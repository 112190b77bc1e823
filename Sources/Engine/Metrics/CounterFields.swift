internal import EngineModel
internal import Observability

private let reasons = CloseReason.allCases.count
private let sides = CloseSide.allCases.count

/// Cells of a listener.
enum ListenerField {
    static let accepted = 0
    static let active = 1
    static let handshaking = 2
    static let resumptions = 3
    /// By reason.
    static let rejected = 4
    /// By ``HandshakeResult`` and ``HandshakeKind``.
    static let handshakes = rejected + reasons
    static let handshakeDuration = HistogramLayout(
        start: handshakes + HandshakeResult.allCases.count * HandshakeKind.allCases.count, bounds: .latency)
    private static let proxyHeaders = handshakeDuration.end
    static let count = proxyHeaders + ProxyHeaderResult.allCases.count

    static func rejected(_ reason: CloseReason) -> Int { rejected + reason.index }
    static func proxyHeader(_ result: ProxyHeaderResult) -> Int { proxyHeaders + result.rawValue }
    static func handshake(_ kind: HandshakeKind, _ result: HandshakeResult) -> Int {
        handshakes + kind.rawValue * HandshakeResult.allCases.count + result.rawValue
    }
}

/// Cells of a route on a listener. What nearly every connection counts in comes first: see ``CounterSlab``.
enum RouteField {
    static let opened = 0
    static let active = 1
    static let requestBytes = 2
    static let responseBytes = 3

    static func bytes(_ direction: Direction) -> Int { direction == .request ? requestBytes : responseBytes }

    private static let firstClosed = 4
    static let duration = HistogramLayout(start: 8, stride: 3, sum: 5, bounds: .connectionDuration)
    static let setup = HistogramLayout(start: 9, stride: 3, sum: 6, bounds: .latency)
    static let firstByte = HistogramLayout(start: 10, stride: 3, sum: 7, bounds: .latency)
    private static let otherClosed = max(duration.end, setup.end, firstByte.end)
    private static let throttledTimes = otherClosed + reasons * sides - 1
    static let count = throttledTimes + 2

    /// Nanoseconds in which connections waited for their share of a bandwidth.
    static func throttled(_ direction: Direction) -> Int { throttledTimes + direction.rawValue }

    /// By reason and side; the first of them, the client's orderly end, is the frequent one.
    static func closed(_ reason: CloseReason, _ side: CloseSide) -> Int {
        let index = reason.index * sides + (side == .client ? 0 : side == .backend ? 1 : 2)
        return index == 0 ? firstClosed : otherClosed + index - 1
    }
}

/// Cells of a backend, the frequent ones first.
enum BackendField {
    static let active = 0
    private static let connected = 1
    static let connectDuration = HistogramLayout(start: 3, sum: 2, bounds: .latency)
    static let retries = connectDuration.end
    private static let failed = retries + 1
    private static let rejected = failed + ConnectResult.allCases.count - 1
    static let droppedTLVs = rejected + reasons
    /// Connections that wait for room.
    static let pending = droppedTLVs + 1
    static let queueDuration = HistogramLayout(start: pending + 1, bounds: .latency)
    private static let sessionsClosed = queueDuration.end
    static let count = sessionsClosed + SessionEnd.allCases.count

    static func sessionsClosed(_ end: SessionEnd) -> Int { sessionsClosed + end.rawValue }

    static func connects(_ result: ConnectResult) -> Int {
        result == .ok ? connected : failed + result.rawValue - 1
    }
    static func rejected(_ reason: CloseReason) -> Int { rejected + reason.index }
}

/// Label values of `sluice_backend_connects_total`.
enum ConnectResult: Int, CaseIterable {
    case ok, refused, timeout, unreachable, tlsError, dnsError

    var label: String {
        switch self {
        case .ok: "ok"
        case .refused: "refused"
        case .timeout: "timeout"
        case .unreachable: "unreachable"
        case .tlsError: "tls_error"
        case .dnsError: "dns_error"
        }
    }
}

/// Label pairs `mode`, `version` of `sluice_tls_handshakes_total`.
enum HandshakeKind: Int, CaseIterable {
    case passthrough, terminateUnknown, terminate12, terminate13

    var mode: String { self == .passthrough ? "passthrough" : "terminate" }
    var version: String {
        switch self {
        case .passthrough, .terminateUnknown: ""
        case .terminate12: "1.2"
        case .terminate13: "1.3"
        }
    }
}

/// Label values `result` of `sluice_tls_handshakes_total`: `ok`, or the detail of a `tls_error`.
enum HandshakeResult: Int, CaseIterable {
    case ok, noCertificate, unsupportedVersion, noSharedCipher, clientRejectedCertificate, badRecord, clientClosed,
        timeout
    case clientCertRequired, clientCertExpired, clientCertUnknownCA, clientCertInvalid
    case clientCertRevoked, clientCertSANMismatch, clientCertKeyMismatch, clientCRLExpired, clientCRLMissing
    case noApplicationProtocol, noServerName, other

    var label: String {
        switch self {
        case .ok: "ok"
        case .noCertificate: "no_certificate"
        case .unsupportedVersion: "unsupported_version"
        case .noSharedCipher: "no_shared_cipher"
        case .clientRejectedCertificate: "client_rejected_certificate"
        case .badRecord: "bad_record"
        case .clientClosed: "client_closed"
        case .timeout: "tls_handshake_timeout"
        case .clientCertRequired: "client_cert_required"
        case .clientCertExpired: "client_cert_expired"
        case .clientCertUnknownCA: "client_cert_unknown_ca"
        case .clientCertInvalid: "client_cert_invalid"
        case .clientCertRevoked: "client_cert_revoked"
        case .clientCertSANMismatch: "client_cert_san_mismatch"
        case .clientCertKeyMismatch: "client_cert_key_mismatch"
        case .clientCRLExpired: "client_crl_expired"
        case .clientCRLMissing: "client_crl_missing"
        case .noApplicationProtocol: "no_application_protocol"
        case .noServerName: "tls_no_sni_match"
        case .other: "internal_error"
        }
    }
}
