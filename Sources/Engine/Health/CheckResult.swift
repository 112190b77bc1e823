internal import EngineCore

/// How a check ended.
struct CheckResult: Sendable {
    /// Nil: it passed.
    var failure: CheckFailure?
    /// Nanoseconds.
    var duration: Int64
    /// When connected, and when TLS stood, in nanoseconds from the start; nil: not so far, or there is none.
    var connected: Int64?
    var secured: Int64?
    /// Steps that were done, where they are recorded.
    var outcomes: [CheckConversation.Outcome] = []
}

/// Why a check failed.
struct CheckFailure: Sendable {
    var reason: CheckFailureReason
    /// Of the script, from 0; nil: before its first one.
    var step: Int?
    /// One line.
    var problem: String
    /// What was received and did not fit; at most ``keptBytes``.
    var received: [UInt8] = []

    static let keptBytes = 256

    /// As people read it: the step with what it is about, the problem, what came.
    func text(_ script: CheckScript) -> String {
        var text = ""
        if let step, step < script.steps.count { text = "step \(step + 1) (\(script.steps[step].action.text)): " }
        text += problem
        if !received.isEmpty { text += ", received \"\(printable(received, limit: CheckFailure.keptBytes))\"" }
        return text
    }
}

/// Label values `reason` of `sluice_backend_health_checks_total`.
enum CheckFailureReason: String, CaseIterable, Sendable {
    case connectRefused = "connect_refused"
    case connectTimeout = "connect_timeout"
    case connectUnreachable = "connect_unreachable"
    case tlsError = "tls_error"
    /// The endpoint reset the connection.
    case reset
    /// It closed before it said what is expected.
    case closed
    /// It said as much as it may, and not what is expected.
    case noMatch = "no_match"
    case timeout
    /// The check itself cannot be run.
    case invalid

    var index: Int { CheckFailureReason.allCases.firstIndex(of: self) ?? 0 }
}

extension CheckScript.Action {
    /// Such as `expect "+PONG"`.
    var text: String {
        switch self {
        case .send(let bytes): "send \"\(printable(bytes, limit: 64))\""
        case .expect(let text): "expect \"\(printable(text.bytes, limit: 64))\""
        case .expectPattern(let pattern): "expect \(pattern)"
        case .close: "close"
        }
    }
}
