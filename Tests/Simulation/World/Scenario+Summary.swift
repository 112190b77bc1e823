import EngineModel

extension Scenario {
    /// The configuration and the steps, a line each.
    public var summary: [String] {
        var lines = ["\(workers) workers"]
        for backend in configuration.backends {
            let settings = backend.settings
            lines.append(
                "backend \(backend.id.name): \(settings.loadBalancing.method), slow start "
                    + "\(settings.loadBalancing.slowStart.map { "\($0)" } ?? "off"), endpoints (weight/preference) "
                    + backend.endpoints.map { "\($0.weight)/\($0.preference)" }.joined(separator: " "))
            lines.append("  connects within \(settings.connectTimeout), \(settings.retries) retries")
            lines.append("  health: \(settings.health)")
            lines.append(
                "  sessions: unhealthy \(settings.onEndpointUnhealthy), removed \(settings.onEndpointRemoved), recovered "
                    + "\(settings.onPrimaryRecovered), within \(settings.endpointDrainTimeout)")
            for breaker in backend.circuitBreakers { lines.append("  \(breaker)") }
            if let queue = backend.queue { lines.append("  \(queue)") }
        }
        for listener in configuration.listeners {
            lines.append(
                "listener \(listener.id.listener): drains routes in "
                    + "\(listener.settings.routeDrainTimeout.map { "\($0)" } ?? "never"), limits \(listener.limits)")
            guard case .tcp(let route?) = listener.traffic else { continue }
            let backends = route.backends.map { "\($0.target)*\($0.weight)\($0.isFallback ? " fallback" : "")" }
            lines.append("  route \(route.id.name): \(backends.joined(separator: ", "))")
            lines.append(
                "  idle \(route.settings.idleTimeout.map { "\($0)" } ?? "never"), at most "
                    + "\(route.settings.maxConnectionDuration.map { "\($0)" } ?? "for ever"), limits \(route.limits)")
        }
        return lines + steps.enumerated().map { "step \($0.offset + 1): \($0.element)" }
    }
}
