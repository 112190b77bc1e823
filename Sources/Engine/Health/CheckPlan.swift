internal import EngineCore
internal import EngineModel
internal import Patterns
internal import Platform
internal import Primitives

/// How each endpoint of a backend is checked: compiled once, off the checker's thread.
final class CheckPlan: Sendable {
    let settings: ActiveHealthCheck
    let script: CheckScript
    /// A header of the PROXY protocol; empty: none.
    let header: [UInt8]
    /// What is sent to ask for TLS; empty: it begins at once.
    let request: [UInt8]
    let tls: TLSClientContext?
    /// Why no check can be run: each fails.
    let problem: String?
    /// Nanoseconds.
    let timeout: Int64
    let interval: Int64
    let unhealthyInterval: Int64
    let initialJitter: Int64

    /// The backend's `tls` counts unless checks do without.
    init(
        _ settings: ActiveHealthCheck, tls: TLSClientContext?, startTLS: BackendStartTLS?,
        proxyProtocol: ProxyProtocolSending?
    ) {
        self.settings = settings
        (script, problem) = CheckPlan.script(of: settings)
        self.tls = settings.isPlaintext ? nil : tls
        request = self.tls != nil && startTLS == .postgres ? PostgresStart.sslRequestBytes : []
        let sends = settings.sendsProxyHeader ?? (proxyProtocol != nil)
        header = sends ? (proxyProtocol ?? ProxyProtocolSending(version: .v2)).ownHeader : []
        timeout = max(1, settings.timeout.wholeNanoseconds)
        interval = max(1_000_000, settings.interval.wholeNanoseconds)
        unhealthyInterval = max(1_000_000, (settings.unhealthyInterval ?? settings.interval).wholeNanoseconds)
        initialJitter = max(0, settings.initialJitter?.wholeNanoseconds ?? interval / 10)
    }

    /// Where an endpoint's checks go.
    func address(of endpoint: StreamAddress) -> StreamAddress {
        guard let port = settings.port, case .ip(let address) = endpoint else { return endpoint }
        return .ip(SocketAddress(address.ip, port))
    }

    private static func script(of settings: ActiveHealthCheck) -> (CheckScript, String?) {
        var problem: String?
        let steps = settings.steps.map { step -> CheckScript.Step in
            let action: CheckScript.Action
            switch step.action {
            case .send(let bytes): action = .send(bytes)
            case .expect(let bytes): action = .expect(ByteNeedle(bytes))
            case .close: action = .close
            case .expectPattern(let text):
                do throws(PatternProblem) {
                    action = .expectPattern(CheckPattern(text: text, pattern: try Pattern(text)))
                } catch {
                    // Never passes: what it says of the endpoint must not be taken for more than it is.
                    problem = "the pattern \"\(text)\" cannot be used: \(error.message)"
                    action = .close
                }
            }
            return CheckScript.Step(action, timeout: step.timeout.map { max(1, $0.wholeNanoseconds) })
        }
        return (CheckScript(steps: steps, maximumBytes: settings.maximumResponseBytes), problem)
    }
}

/// An expectation that RE2 looks for.
private struct CheckPattern: BytePattern, CustomStringConvertible {
    let text: String
    let pattern: Pattern

    func firstMatch(in bytes: UnsafeRawBufferPointer, from offset: Int) -> Range<Int>? {
        pattern.firstMatch(in: bytes, from: offset)
    }

    var description: String { "regex \"\(printable(Array(text.utf8), limit: 64))\"" }
}
