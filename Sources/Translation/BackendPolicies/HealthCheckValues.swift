internal import EngineModel
internal import KubernetesAPI
internal import Primitives

extension HealthChecking {
    init(_ field: BackendPolicy.HealthCheck) {
        self.init(
            active: field.active.map { ActiveHealthCheck($0) }, passive: field.passive.map { PassiveHealthCheck($0) },
            panicThreshold: field.effectivePanicThreshold)
    }
}

extension ActiveHealthCheck {
    fileprivate init(_ field: BackendPolicy.ActiveHealthCheck) {
        self.init()
        timeout = duration(field.effectiveTimeout) ?? timeout
        interval = duration(field.effectiveInterval) ?? interval
        unhealthyInterval = duration(field.unhealthyInterval)
        initialJitter = duration(field.initialJitter)
        unhealthyThreshold = field.effectiveUnhealthyThreshold
        healthyThreshold = field.effectiveHealthyThreshold
        startsHealthy = field.effectiveInitialState == "Healthy"
        if let tcp = field.tcp {
            steps = ActiveHealthCheck.steps(tcp)
            maximumResponseBytes = tcp.effectiveMaxResponseBytes.roundedUp.map { Int($0) } ?? maximumResponseBytes
        }
        port = field.overrides?.port.flatMap { UInt16(exactly: $0) }
        isPlaintext = field.isPlaintext
        sendsProxyHeader = field.sendProxyProtocol
    }

    /// `send` and `receive` are a conversation of two steps at most.
    private static func steps(_ tcp: BackendPolicy.TCPHealthCheck) -> [Step] {
        if let steps = tcp.steps { return steps.compactMap { Step($0) } }
        let send = tcp.send?.bytes.map { Step(.send($0)) }
        let receive = tcp.receive?.bytes.map { Step(.expect($0)) }
        return [send, receive].compactMap { $0 }
    }
}

extension ActiveHealthCheck.Step {
    fileprivate init?(_ step: BackendPolicy.HealthCheckStep) {
        let action: ActiveHealthCheck.Action
        if let bytes = step.send?.bytes {
            action = .send(bytes)
        } else if let bytes = step.expect?.bytes {
            action = .expect(bytes)
        } else if let pattern = step.expect?.regex {
            action = .expectPattern(pattern)
        } else if step.close != nil {
            action = .close
        } else {
            return nil
        }
        self.init(action, timeout: duration(step.timeout))
    }
}

extension BackendPolicy.Payload {
    fileprivate var bytes: [UInt8]? { text.map { Array($0.utf8) } ?? binary.flatMap { Base64.decode($0) } }
}

extension BackendPolicy.Expectation {
    fileprivate var bytes: [UInt8]? { text.map { Array($0.utf8) } ?? binary.flatMap { Base64.decode($0) } }
}

extension PassiveHealthCheck {
    fileprivate init(_ field: BackendPolicy.PassiveHealthCheck) {
        self.init()
        consecutiveFailures = field.effectiveConsecutiveLocalOriginFailures
        interval = duration(field.effectiveInterval) ?? interval
        baseEjectionTime = duration(field.effectiveBaseEjectionTime) ?? baseEjectionTime
        maximumEjectionPercent = field.effectiveMaxEjectionPercent
        alwaysEjectsOne = field.alwaysEjectsOneEndpoint
    }
}
