/// How it is found out which endpoints can serve (BackendPolicy.spec.healthCheck).
public struct HealthChecking: Hashable, Sendable {
    /// Nil: endpoints are not asked.
    public var active: ActiveHealthCheck?
    /// Nil: nothing is learnt from connections.
    public var passive: PassiveHealthCheck?
    /// With less than that many per cent of endpoints usable all of them are used; 0: never. 0–100.
    public var panicThreshold: Int

    public init(active: ActiveHealthCheck? = nil, passive: PassiveHealthCheck? = nil, panicThreshold: Int = 0) {
        self.active = active
        self.passive = passive
        self.panicThreshold = panicThreshold
    }
}

/// Endpoints are connected to, and spoken with, from time to time.
public struct ActiveHealthCheck: Hashable, Sendable {
    /// For one check: connection, TLS and all steps.
    public var timeout: Duration = .seconds(1)
    public var interval: Duration = .seconds(3)
    /// In place of ``interval`` while an endpoint is unhealthy; nil: the same.
    public var unhealthyInterval: Duration?
    /// The first check of an endpoint comes after up to that long; nil: a tenth of ``interval``.
    public var initialJitter: Duration?
    /// Failures in a row after which a healthy endpoint is unhealthy, 1–1000.
    public var unhealthyThreshold: Int = 3
    /// Passes in a row after which an endpoint that failed is healthy, 1–1000. One that never failed needs one.
    public var healthyThreshold: Int = 1
    /// Whether an endpoint is used before its first check.
    public var startsHealthy = false
    /// What is said and expected, in order; empty: it is enough that the connection, and TLS where there is TLS, come about.
    public var steps: [Step] = []
    /// Of all that is received in one check, 1 byte–64 KiB; an expectation not met by then fails.
    public var maximumResponseBytes: Int = 4096
    /// Nil: the endpoint's own.
    public var port: UInt16?
    /// Whether TLS is left out though connections use it.
    public var isPlaintext = false
    /// Whether a check begins with a header of the PROXY protocol (version 2, LOCAL; of version 1: UNKNOWN); nil: if connections do.
    public var sendsProxyHeader: Bool?

    public init() {}

    public struct Step: Hashable, Sendable {
        public var action: Action
        /// From the end of the step before; nil: the check's own timeout alone.
        public var timeout: Duration?
        public init(_ action: Action, timeout: Duration? = nil) {
            self.action = action
            self.timeout = timeout
        }
    }

    public enum Action: Hashable, Sendable {
        /// At least one byte.
        case send([UInt8])
        /// Found in what was received after the expectation before. At least one byte.
        case expect([UInt8])
        /// The same, by a regular expression in RE2's syntax; it is known to be valid.
        case expectPattern(String)
        /// The endpoint closes its side.
        case close
    }
}

/// What failed connections say of an endpoint: refused, timed out, unreachable, TLS failures, and resets within a second without a
/// byte of response. A session that carried data never counts.
public struct PassiveHealthCheck: Hashable, Sendable {
    /// Such failures in a row after which an endpoint is ejected, 1–1000.
    public var consecutiveFailures: Int = 5
    /// How often ejections are looked at again.
    public var interval: Duration = .seconds(3)
    /// Times the number of ejections before: how long it stays out.
    public var baseEjectionTime: Duration = .seconds(30)
    /// Of a backend's endpoints, 0–100.
    public var maximumEjectionPercent: Int = 10
    /// Whether one may be ejected even if that is more than ``maximumEjectionPercent``; never the last one that is usable.
    public var alwaysEjectsOne = true

    public init() {}
}

/// What becomes of established sessions.
public enum SessionAction: Hashable, Sendable {
    /// They go on.
    case keep
    /// They are closed one by one, spread evenly over ``BackendSettings/endpointDrainTimeout``.
    case drain
    /// They are closed at once.
    case close
}
