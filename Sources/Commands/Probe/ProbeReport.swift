internal import EngineModel

/// What `sluice probe` prints. Encodes as docs/reference/cli.md describes.
struct ProbeReport: Encodable, Sendable {
    var backends: [Backend] = []
    var passed: Bool

    struct Backend: Encodable, Sendable {
        var backend: String
        /// Which use of it, where there are several.
        var variant: String?
        /// Whether a policy says how it is checked; else it was only connected to.
        var isConfigured: Bool
        var problems: [String]
        var endpoints: [Endpoint]
    }

    struct Endpoint: Encodable, Sendable {
        var endpoint: String
        /// Where the check went.
        var target: String
        var passed: Bool
        var milliseconds: Double
        var steps: [Step]
    }

    struct Step: Encodable, Sendable {
        var action: String
        var passed: Bool
        var milliseconds: Double
        var received: String?
        var problem: String?
    }

    init(_ results: [(BackendConfiguration, BackendProbe)]) {
        passed = results.allSatisfy(\.1.passed)
        backends = results.map { configuration, probe in
            Backend(
                backend: "\(configuration.id)",
                variant: configuration.id.variant.isEmpty ? nil : configuration.id.variant,
                isConfigured: configuration.settings.health.active != nil, problems: probe.problems,
                endpoints: probe.endpoints.map(Endpoint.init))
        }
    }

    /// For people: endpoints with their steps, and a closing line.
    var text: String {
        var lines: [String] = []
        for backend in backends {
            lines.append(backend.backend + (backend.variant.map { " (\($0))" } ?? ""))
            if !backend.isConfigured { lines.append("  no health check is configured: connecting is enough") }
            lines += backend.problems.map { "  ✗ \($0)" }
            if backend.endpoints.isEmpty { lines.append("  ✗ it has no endpoints") }
            for endpoint in backend.endpoints { lines += endpoint.lines }
        }
        let endpoints = backends.flatMap(\.endpoints)
        let failed = endpoints.count { !$0.passed }
        lines.append(
            failed == 0 ? "\(endpoints.count) passed" : "\(failed) of \(endpoints.count) failed")
        return lines.map { $0 + "\n" }.joined()
    }
}

extension ProbeReport.Endpoint {
    init(_ probe: EndpointProbe) {
        endpoint = probe.endpoint
        target = probe.target
        passed = probe.passed
        milliseconds = ProbeReport.milliseconds(probe.duration)
        steps = probe.steps.map { step in
            ProbeReport.Step(
                action: step.action, passed: step.passed, milliseconds: ProbeReport.milliseconds(step.duration),
                received: step.received.isEmpty ? nil : step.received, problem: step.problem)
        }
    }

    fileprivate var lines: [String] {
        let place = target == endpoint ? endpoint : "\(endpoint) at \(target)"
        var lines = ["  \(passed ? "✓" : "✗") \(place)  \(milliseconds) ms"]
        let width = steps.map(\.action.count).max() ?? 0
        for step in steps {
            var line = "    \(step.passed ? "✓" : "✗") \(step.action)"
            line += String(repeating: " ", count: width - step.action.count) + "  \(step.milliseconds) ms"
            if let problem = step.problem { line += "  \(problem)" }
            if let received = step.received { line += "  received \"\(received)\"" }
            lines.append(line)
        }
        return lines
    }
}

extension ProbeReport {
    /// With one decimal.
    fileprivate static func milliseconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return ((Double(seconds) * 1e3 + Double(attoseconds) / 1e15) * 10).rounded() / 10
    }
}
