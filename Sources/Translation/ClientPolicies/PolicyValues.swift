internal import EngineModel
internal import KubernetesAPI
internal import Primitives

// Settings of policies as the engine's values. What is not valid is another's business: the policy is rejected then.

extension ClientPolicy.ProxyProtocol {
    var reception: ProxyProtocolReception {
        let trusted = (trustedCIDRs ?? []).compactMap { CIDR($0) }
        return ProxyProtocolReception(
            mode: effectiveMode == "Optional" ? .optional : .required,
            trusted: (trustedCIDRs ?? []).isEmpty ? nil : CIDRSet(trusted),
            headerTimeout: GatewayDuration(effectiveHeaderTimeout)?.duration ?? .seconds(5))
    }
}

extension ClientPolicy.StartTLS {
    var value: StartTLS { .postgres(plaintextAllowed: effectiveMode == "Optional") }
}

extension ClientPolicy.AccessLog {
    var settings: AccessLogSettings {
        if isDisabled { return .none }
        let closes: AccessLogSettings.Closes =
            switch effectiveInclude {
            case "Errors": .errors
            case "Rejected": .rejected
            default: .all
            }
        return AccessLogSettings(
            opens: effectiveEvents.contains("Open"),
            interval: effectiveEvents.contains("Periodic")
                ? interval.flatMap { GatewayDuration($0)?.duration } : nil,
            closes: effectiveEvents.contains("Close") ? closes : nil)
    }
}

extension ClientPolicy.Keepalive {
    /// Nil: switched off.
    var value: TCPKeepalive? {
        if isDisabled { return nil }
        var keepalive = TCPKeepalive()
        if let idle = seconds(effectiveIdleTime) { keepalive.idleSeconds = idle }
        if let interval = seconds(effectiveInterval) { keepalive.intervalSeconds = interval }
        keepalive.probes = Int32(clamping: effectiveProbes)
        return keepalive
    }

    /// Whole seconds, rounded up, as the kernel counts.
    private func seconds(_ text: String) -> Int32? {
        GatewayDuration(text).map {
            let (seconds, rest) = $0.duration.components
            return Int32(clamping: seconds + (rest > 0 ? 1 : 0))
        }
    }
}
