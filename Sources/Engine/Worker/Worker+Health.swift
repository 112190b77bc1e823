internal import EngineModel

// What connections say of the endpoints they go to, where a policy wants that (passive health checks).

extension Worker {
    /// Within which a reset without a byte of response speaks against the endpoint, in nanoseconds.
    private static let resetTime: Int64 = 1_000_000_000

    /// The attempt to connect to the slot's endpoint, or TLS with it, failed.
    func noteFailedAttempt(_ slot: Int, _ backend: BackendRuntime) {
        guard backend.isObserved, let endpoint = observed(slot, backend) else { return }
        noteFailure(of: endpoint, backend)
    }

    /// The first byte of response is there: whatever comes, this session was served.
    func noteResponse(_ slot: Int) {
        records[slot].backend?._withUnsafeGuaranteedRef { backend in
            if backend.isObserved { observed(slot, backend)?.noteSuccess() }
        }
    }

    /// A connection ends: one without a response speaks against its endpoint if that reset it at once, and for it if it lasted.
    func noteEnd(_ slot: Int, _ backend: BackendRuntime, _ reason: CloseReason) {
        let record = records + slot
        guard record.pointee.stage == .relay, record.pointee.firstResponseByteAt == 0,
            let endpoint = observed(slot, backend)
        else { return }
        if now - record.pointee.connectedAt >= Worker.resetTime {
            endpoint.noteSuccess()
        } else if reason == .backendReset {
            noteFailure(of: endpoint, backend)
        }
    }

    private func observed(_ slot: Int, _ backend: BackendRuntime) -> EndpointHealth? {
        records[slot].endpoint.flatMap { backend.observed[ObjectIdentifier($0.takeUnretainedValue())] }
    }

    func noteFailure(of endpoint: EndpointHealth, _ backend: BackendRuntime) {
        guard let limit = backend.health?.failureLimit, endpoint.noteFailure() >= limit,
            !endpoint.standing.contains(.ejected)
        else { return }
        shared.checker.suspect(endpoint)
    }
}
