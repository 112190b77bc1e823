/// Which lines the access log has of a connection (ClientPolicy, accessLog).
public struct AccessLogSettings: Hashable, Sendable {
    /// One when bytes can flow.
    public var opens = false
    /// One each time that long has passed since then; nil: none.
    public var interval: Duration?
    /// Which ends have one; nil: none.
    public var closes: Closes? = .all

    /// Ends, each kind within the next.
    public enum Closes: UInt8, Hashable, Sendable, Comparable {
        /// Of connections that were refused: no byte could flow, and it was not the client who left.
        case rejected = 1
        /// Of every reason but `client_closed` and `backend_closed`.
        case errors
        case all

        public static func < (left: Closes, right: Closes) -> Bool { left.rawValue < right.rawValue }
    }

    /// A line for each end.
    public init() {}

    public init(opens: Bool = false, interval: Duration? = nil, closes: Closes?) {
        (self.opens, self.interval, self.closes) = (opens, interval, closes)
    }

    /// No line at all.
    public static let none = AccessLogSettings(closes: nil)

    /// Every line that one of them asks for; of two intervals the shorter.
    public func adding(_ other: AccessLogSettings) -> AccessLogSettings {
        AccessLogSettings(
            opens: opens || other.opens, interval: [interval, other.interval].compactMap { $0 }.min(),
            closes: [closes, other.closes].compactMap { $0 }.max())
    }
}

/// How lines of the access log look (GatewayParameters, telemetry.accessLog).
public enum AccessLogFormat: Hashable, Sendable {
    /// An object with the fields that the connection has.
    case json
    case text(AccessLogTemplate)
    /// As HAProxy's `option tcplog`.
    case haproxyTCP
}

/// A line with fields in it: `%START_TIME%` and so on, a field's name in capitals; `%%` is a percent sign.
public struct AccessLogTemplate: Hashable, Sendable {
    public enum Piece: Hashable, Sendable {
        case text(String)
        case field(AccessLogField)
    }
    public let pieces: [Piece]

    /// What `Text` has without a template.
    public static let standard = AccessLogTemplate(pieces: standardPieces)

    private init(pieces: [Piece]) { self.pieces = pieces }

    /// Throws where a field does not exist, a percent sign stands alone, or there is a line break.
    public init(_ text: String) throws(AccessLogTemplateProblem) {
        var pieces: [Piece] = []
        var literal = ""
        var rest = text[...]
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\t" || $0.value == 0x7f }) else {
            throw AccessLogTemplateProblem("must be one line, without control characters")
        }
        while let percent = rest.firstIndex(of: "%") {
            literal += rest[..<percent]
            rest = rest[rest.index(after: percent)...]
            guard let end = rest.firstIndex(of: "%") else {
                throw AccessLogTemplateProblem("a % without a second one: a field is %NAME%, a percent sign %%")
            }
            let name = rest[..<end]
            rest = rest[rest.index(after: end)...]
            if name.isEmpty {
                literal += "%"
                continue
            }
            guard let field = AccessLogField.allCases.first(where: { $0.operatorName == name }) else {
                throw AccessLogTemplateProblem("there is no field %\(name)%")
            }
            if !literal.isEmpty { pieces.append(.text(literal)) }
            literal = ""
            pieces.append(.field(field))
        }
        literal += rest
        if !literal.isEmpty { pieces.append(.text(literal)) }
        self.pieces = pieces
    }

    private static let standardPieces: [Piece] = [
        .field(.startTime), .text(" "), .field(.event), .text(" "), .field(.downstreamRemoteAddress), .text(" "),
        .field(.gateway), .text("/"), .field(.listener), .text(" "), .field(.routeKind), .text("/"), .field(.route),
        .text(" "), .field(.upstreamHost), .text(" received="), .field(.bytesReceived), .text(" sent="),
        .field(.bytesSent), .text(" ms="), .field(.durationMilliseconds), .text(" "), .field(.closeReason),
        .text(" "), .field(.closeSide), .text(" sni=\""), .field(.requestedServerName), .text("\" detail=\""),
        .field(.closeDetail), .text("\""),
    ]
}

/// Why a template cannot be used.
public struct AccessLogTemplateProblem: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

/// The fields of the access log, in the order of its lines. Raw values are their names.
public enum AccessLogField: String, CaseIterable, Hashable, Sendable {
    case startTime = "start_time"
    case durationMilliseconds = "duration_ms"
    case event
    case connectionID = "connection_id"
    case configGeneration = "config_generation"
    case gateway
    case listener
    case route
    case routeKind = "route_kind"
    case backend
    case upstreamHost = "upstream_host"
    case upstreamLocalAddress = "upstream_local_address"
    case upstreamAttempts = "upstream_attempts"
    case downstreamRemoteAddress = "downstream_remote_address"
    case downstreamDirectRemoteAddress = "downstream_direct_remote_address"
    case downstreamLocalAddress = "downstream_local_address"
    case proxyProtocolVersion = "proxy_protocol_version"
    case requestedServerName = "requested_server_name"
    case alpn
    case tlsVersion = "tls_version"
    case tlsCipher = "tls_cipher"
    case tlsResumed = "tls_resumed"
    case clientCertificateSubject = "client_cert_subject"
    case clientCertificateSAN = "client_cert_san"
    case clientCertificateSPKI = "client_cert_spki"
    case ja4
    case bytesReceived = "bytes_received"
    case bytesSent = "bytes_sent"
    case proxyMilliseconds = "t_proxy_ms"
    case handshakeMilliseconds = "t_handshake_ms"
    case queueMilliseconds = "t_queue_ms"
    case connectMilliseconds = "t_connect_ms"
    case firstByteMilliseconds = "t_first_byte_ms"
    case closeReason = "close_reason"
    case closeSide = "close_side"
    case closeDetail = "close_detail"
    case authorizationRule = "authz_rule"
    case throttledMilliseconds = "throttled_ms"

    /// What stands between percent signs in a template.
    public var operatorName: String { rawValue.uppercased() }
}

/// Where the access log is written.
public enum AccessLogDestination: Hashable, Sendable {
    case standardOutput
    case standardError
    /// Appended to; made where it does not exist.
    case file(path: String)
}
