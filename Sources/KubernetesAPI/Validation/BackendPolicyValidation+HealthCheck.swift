extension FieldChecks {
    mutating func healthCheck(_ field: String, _ check: BackendPolicy.HealthCheck?) {
        guard let check else { return }
        active("\(field).active", check.active)
        if let passive = check.passive {
            let field = "\(field).passive"
            range("\(field).consecutiveLocalOriginFailures", passive.consecutiveLocalOriginFailures, 1...1000)
            positive("\(field).interval", passive.interval)
            positive("\(field).baseEjectionTime", passive.baseEjectionTime)
            range("\(field).maxEjectionPercent", passive.maxEjectionPercent, 0...100)
        }
        range("\(field).panicThreshold", check.panicThreshold, 0...100)
    }

    private mutating func active(_ field: String, _ check: BackendPolicy.ActiveHealthCheck?) {
        guard let check else { return }
        oneOf("\(field).type", check.type, ["TCP"])
        positive("\(field).timeout", check.timeout)
        positive("\(field).interval", check.interval)
        duration("\(field).initialJitter", check.initialJitter)
        range("\(field).unhealthyThreshold", check.unhealthyThreshold, 1...1000)
        range("\(field).healthyThreshold", check.healthyThreshold, 1...1000)
        positive("\(field).unhealthyInterval", check.unhealthyInterval)
        oneOf("\(field).initialState", check.initialState, ["Unhealthy", "Healthy"])
        conversation("\(field).tcp", check.tcp)
        port("\(field).overrides.port", check.overrides?.port)
        if let timeout = GatewayDuration(check.effectiveTimeout)?.duration,
            let interval = GatewayDuration(check.effectiveInterval)?.duration
        {
            rule(field, "timeout must not be greater than 10 times interval", holds: timeout <= interval * 10)
        }
    }

    private mutating func conversation(_ field: String, _ check: BackendPolicy.TCPHealthCheck?) {
        guard let check else { return }
        payload("\(field).send", check.send)
        payload("\(field).receive", check.receive)
        count("\(field).steps", check.steps?.count, 1...16)
        for (index, step) in (check.steps ?? []).enumerated() { self.step("\(field).steps[\(index)]", step) }
        quantity("\(field).maxResponseBytes", check.maxResponseBytes, from: Quantity(1), to: Quantity("64Ki"))
        rule(
            field, "steps cannot be combined with send and receive",
            holds: check.steps == nil || (check.send == nil && check.receive == nil))
    }

    private mutating func step(_ field: String, _ step: BackendPolicy.HealthCheckStep) {
        payload("\(field).send", step.send)
        expectation("\(field).expect", step.expect)
        positive("\(field).timeout", step.timeout)
        rule(
            field, "exactly one of send, expect and close must be set",
            holds: [step.send != nil, step.expect != nil, step.close != nil].filter { $0 }.count == 1)
    }

    private mutating func payload(_ field: String, _ payload: BackendPolicy.Payload?) {
        guard let payload else { return }
        oneOf("\(field).type", payload.type, ["Text", "Binary"])
        bytes(field, text: payload.text, binary: payload.binary)
        rule(
            field, "text must be set for type Text, binary for type Binary, and nothing else",
            holds: payload.type == "Text"
                ? payload.text != nil && payload.binary == nil : payload.binary != nil && payload.text == nil)
    }

    private mutating func expectation(_ field: String, _ expectation: BackendPolicy.Expectation?) {
        guard let expectation else { return }
        oneOf("\(field).type", expectation.type, ["Text", "Binary", "Regex"])
        bytes(field, text: expectation.text, binary: expectation.binary)
        text("\(field).regex", expectation.regex, 1...1024)
        rule(
            field, "text must be set for type Text, binary for type Binary, regex for type Regex, and nothing else",
            holds: (expectation.text != nil) == (expectation.type == "Text")
                && (expectation.binary != nil) == (expectation.type == "Binary")
                && (expectation.regex != nil) == (expectation.type == "Regex"))
    }

    private mutating func bytes(_ field: String, text: String?, binary: String?) {
        self.text("\(field).text", text, 1...1024)
        self.text("\(field).binary", binary, 4...1368, .base64)
    }
}
