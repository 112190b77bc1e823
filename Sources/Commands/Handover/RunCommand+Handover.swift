internal import AdminServer
internal import Observability
internal import Platform

extension RunCommand {
    func startServers(_ places: ServerPlaces, _ lifecycle: Lifecycle) throws(StartFailure) -> OperatorServers {
        do {
            let probes = try ProbeServer(
                address: places.probes, inherited: places.probeSocket, logger: logger, live: { .passing },
                ready: { lifecycle.readiness(isVerbose: $0) },
                metrics: { lifecycle.appendMetrics(to: &$0) })
            let admin = try AdminServer(
                address: places.admin, inherited: places.adminSocket, hostNames: Set(options.adminHosts),
                logger: logger, routes: AdminEndpoints(lifecycle: lifecycle).routes,
                configuration: { lifecycle.configuration })
            return OperatorServers(probes: probes, admin: admin)
        } catch {
            throw StartFailure("sluice run: \(error)")
        }
    }

    func makeDuties(
        _ servers: OperatorServers, _ parts: Lifecycle.Parts, _ lifecycle: Lifecycle, _ takeover: Takeover?,
        hasInherited: Bool
    ) throws(StartFailure) -> ServiceDuties {
        let dataPlane = parts.dataPlane
        let loan = Predecessor.Loan(
            copy: { () throws(Errno) in
                try servers.copyListeners() + dataPlane.copyListeners().values.flatMap(\.self)
            },
            setLending: dataPlane.setLending)
        let predecessor = Predecessor(program: program, loan: loan, logger: logger)
        if let path = options.handoverSocket { try predecessor.listen(at: path) }
        return ServiceDuties(
            predecessor: predecessor, takeover: takeover, manager: ServiceManager(environment, logger: logger),
            hasInherited: hasInherited, lifecycle: lifecycle, dataPlane: dataPlane, logger: logger)
    }

    /// Waits until this process could serve in the predecessor's place. It must not where it is not ready in time, or is told
    /// to end; where the predecessor dies meanwhile nobody serves, and it goes on at once.
    func awaitReadiness(
        _ signals: any SignalSource, _ lifecycle: Lifecycle, _ takeover: Takeover
    ) throws(StartFailure) {
        let deadline = MonotonicTime.now() + Takeover.readinessTime
        while true {
            let readiness = lifecycle.readiness(isVerbose: false)
            if readiness.isPassing { return }
            guard MonotonicTime.now() < deadline else {
                throw StartFailure("sluice run: not ready to take over: \(readiness.reasons.joined(separator: "; "))")
            }
            if let signal = signals.next(until: .now() + .milliseconds(20)), signal.ends {
                throw StartFailure("sluice run: \(signal.name) came before it could take over")
            }
            switch takeover.next(until: .now()) {
            case nil: continue
            case .end: return
            case .cancelled(let why): throw StartFailure("sluice run: the predecessor goes on: \(why)")
            case let other?: throw StartFailure("sluice run: the predecessor says '\(other.text)'")
            }
        }
    }

    /// Accepts once the predecessor does no more, or is gone.
    func finish(_ takeover: Takeover, _ dataPlane: any DataPlane, _ duties: ServiceDuties) {
        takeover.announceReady()
        switch takeover.next(until: .now() + Takeover.answerTime) {
        case .released: break
        case .end: logger.warning("the predecessor ended before it let go of the listening sockets")
        default: logger.warning("the predecessor does not say whether it let go of the listening sockets")
        }
        dataPlane.beginAccepting()
        duties.begin()
        logger.info("taken over", ["addresses": LogValue(dataPlane.boundBindings.count)])
    }
}
