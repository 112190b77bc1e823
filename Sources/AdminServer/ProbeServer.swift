public import Observability
internal import Platform
public import Primitives

/// What a probe says.
public struct ProbeResult: Hashable, Sendable {
    /// Why not; empty: yes.
    public var reasons: [String]
    /// What an operator may want to know besides, such as a limit that is reached while the answer is yes.
    public var details: [String: String]

    /// `reasons` empty means that the answer is yes.
    public init(reasons: [String] = [], details: [String: String] = [:]) {
        (self.reasons, self.details) = (reasons, details)
    }

    public static let passing = ProbeResult()
    public var isPassing: Bool { reasons.isEmpty }

    /// 200 `{"ready":true}`, or 503 `{"ready":false,"reasons":[...]}`; `details` where there are any.
    func response(named name: String) -> HTTPResponse {
        var body = Array("{".utf8)
        JSONText.append(name, to: &body)
        body.append(contentsOf: (isPassing ? ":true" : ":false").utf8)
        if !isPassing {
            body.append(contentsOf: #","reasons":"#.utf8)
            JSONText.append(list: reasons, to: &body)
        }
        if !details.isEmpty {
            body.append(contentsOf: #","details":"#.utf8)
            JSONText.append(object: details, to: &body)
        }
        return HTTPResponse(
            status: isPassing ? 200 : 503, contentType: "application/json", body: body + Array("}\n".utf8))
    }
}

/// `/livez`, `/readyz` and `/metrics`, for the kubelet, load balancers and Prometheus; answers under any Host name. Goes
/// on through a shutdown until it is stopped.
public final class ProbeServer: Sendable {
    private let server: HTTPServer

    /// Binds and serves. The closures run on the server's thread and return within milliseconds. `ready` is told whether
    /// everything is wanted that an operator may ask (`/readyz?verbose`); `metrics` appends its families, after which the
    /// `process_*` metrics are written. `inherited`: see ``HTTPServer``.
    public init(
        address: SocketAddress, inherited: Int32? = nil, logger: Logger = .disabled,
        live: @escaping @Sendable () -> ProbeResult,
        ready: @escaping @Sendable (_ isVerbose: Bool) -> ProbeResult,
        metrics: @escaping @Sendable (inout PrometheusText) -> Void
    ) throws(ListenError) {
        // As large as the last scrape, and a little more: an array that grows to megabytes is copied on its way, and ends half empty.
        let expected = Locked(64 << 10)
        let routes = [
            HTTPRoute("/livez", "200 while the process works") { _ in live().response(named: "live") },
            HTTPRoute("/readyz", "200 while traffic may come, else 503 with the reasons; ?verbose says more") {
                request in
                ready(request.has("verbose")).response(named: "ready")
            },
            HTTPRoute("/metrics", "Prometheus text") { _ in
                var text = PrometheusText(reservingBytes: expected.withLock { $0 })
                metrics(&text)
                ProcessMetrics.append(to: &text)
                for name in text.duplicates {
                    logger.error("metric family written twice", ["metric": LogValue(name)])
                }
                expected.withLock { $0 = max(64 << 10, text.bytes.count + text.bytes.count / 16) }
                return HTTPResponse(contentType: PrometheusText.contentType, body: text.bytes)
            },
        ]
        server = try HTTPServer(name: "probes", address: address, routes: routes, logger: logger, inherited: inherited)
    }

    /// Where it listens, with the kernel's choice for port 0.
    public var address: SocketAddress { server.address }

    /// The listening socket. Closed by ``stop()``.
    public var listener: Int32 { server.listener }

    /// See ``HTTPServer/stop()``.
    public func stop() { server.stop() }
}
