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
    static let count = handshakeDuration.end

    static func rejected(_ reason: CloseReason) -> Int { rejected + reason.index }
    static func handshake(_ kind: HandshakeKind, _ result: HandshakeResult) -> Int {
        handshakes + kind.rawValue * HandshakeResult.allCases.count + result.rawValue
    }
}

/// Cells of a route on a listener.
enum RouteField {
    static let opened = 0
    static let active = 1
    static let requestBytes = 2
    static let responseBytes = 3
    /// By reason and side.
    static let closed = 4
    static let duration = HistogramLayout(start: closed + reasons * sides, bounds: .connectionDuration)
    static let setup = HistogramLayout(start: duration.end, bounds: .latency)
    static let firstByte = HistogramLayout(start: setup.end, bounds: .latency)
    static let count = firstByte.end

    static func closed(_ reason: CloseReason, _ side: CloseSide) -> Int {
        closed + reason.index * sides + (side == .client ? 0 : side == .backend ? 1 : 2)
    }
}

/// Cells of a backend.
enum BackendField {
    static let active = 0
    static let retries = 1
    static let connects = 2
    static let rejected = connects + ConnectResult.allCases.count
    static let connectDuration = HistogramLayout(start: rejected + reasons, bounds: .latency)
    static let count = connectDuration.end

    static func connects(_ result: ConnectResult) -> Int { connects + result.rawValue }
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
    case noServerName, other

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
        case .noServerName: "tls_no_sni_match"
        case .other: "internal_error"
        }
    }
}
