internal import EngineCore
internal import EngineModel
internal import Observability
internal import Platform

extension Worker {
    func log(_ level: Logger.Level, _ message: String, limit: CloseReason) {
        guard let suppressed = logLimiter.admit(limit, now: MonotonicTime(nanoseconds: now)) else { return }
        shared.logger.log(
            level, message,
            [
                "close_reason": "\(limit.rawValue)", "connections": LogValue(openCount),
                "suppressed": LogValue(suppressed),
            ])
    }

    /// One line about one connection that is about to end, unless the access log tells of it. Never a byte of its payload.
    func log(
        _ level: Logger.Level, _ message: String, slot: Int, reason: CloseReason, detail: String?, policy: String = "",
        rule: String = ""
    ) {
        if access != nil, explain(slot, reason, detail: detail, policy: policy, rule: rule) { return }
        guard let suppressed = logLimiter.admit(reason, now: MonotonicTime(nanoseconds: now)) else { return }
        let record = records[slot]
        let listener = record.listener?.takeUnretainedValue()
        let proxy = record.proxyHeader?.takeUnretainedValue()
        let route = record.route?.takeUnretainedValue()
        let backend = record.backend?.takeUnretainedValue()
        shared.logger.log(
            level, message,
            [
                "connection_id": "\(String(record.id, radix: 16))",
                "downstream_remote_address": "\(record.client)",
                "downstream_direct_remote_address": "\(record.peer)",
                "proxy_protocol_version": "\(proxy.map { "\($0.header.version.rawValue)" } ?? "")",
                "listener": "\(listener.map { "\($0.state.id)" } ?? "")",
                "route": "\(route.map { "\($0.configuration.id)" } ?? "")",
                "backend": "\(backend.map { "\($0.configuration.id)" } ?? "")",
                "requested_server_name": "\(record.serverName.map { String(cString: $0) } ?? "")",
                "close_reason": "\(reason.rawValue)",
                "close_detail": "\(detail ?? "")",
                "policy": "\(policy)",
                "authz_rule": "\(rule)",
                "suppressed": LogValue(suppressed),
            ])
    }

    func logFailure(_ slot: Int, _ reason: CloseReason, _ message: String, _ problem: String) {
        if access != nil { _ = explain(slot, reason, detail: problem) }
        guard let suppressed = logLimiter.admit(reason, now: MonotonicTime(nanoseconds: now)) else { return }
        let record = records[slot]
        let backend = record.backend?.takeUnretainedValue()
        let endpoint = record.endpoint?.takeUnretainedValue()
        shared.logger.warning(
            message,
            [
                "connection_id": "\(String(record.id, radix: 16))",
                "backend": "\(backend.map { "\($0.configuration.id)" } ?? "")",
                "upstream_host": "\(endpoint.map { "\($0.address)" } ?? "")",
                "upstream_attempts": LogValue(record.attempts),
                "problem": "\(problem)",
                "suppressed": LogValue(suppressed),
            ])
    }
}
