internal import Observability
internal import Platform

extension RunCommand {
    /// How serving ended.
    enum Ending: Hashable {
        /// Every connection ended by itself.
        case drained
        /// The deadline came first.
        case cut(connections: Int)
        /// A second signal came first.
        case forced(ProcessSignal)

        /// 128 + signal where it was forced, as a shell would say it; else 0.
        var exitCode: Int32 { if case .forced(let signal) = self { 128 + signal.rawValue } else { 0 } }

        var text: String {
            switch self {
            case .drained: "drained"
            case .cut(let connections): "drain deadline with \(connections) connections left"
            case .forced(let signal): "a second signal (\(signal.name))"
            }
        }
    }

    /// What ends the time of accepting.
    private enum Cause: Hashable {
        case signal(ProcessSignal)
        /// Another process accepts now.
        case handedOver

        var name: String {
            switch self {
            case .signal(let signal): signal.name
            case .handedOver: "handed over"
            }
        }
    }

    /// Waits for the signal to end, then: accept grace, drain, deadline; or until a successor has taken over, then: drain,
    /// deadline. `resign` is called with the signal, so that another replica writes while this one drains; `freeze` ends
    /// reconfiguration before the drain, and is told whether a successor has the addresses.
    func serve(
        _ signals: any SignalSource, _ lifecycle: Lifecycle, _ dataPlane: any DataPlane, _ duties: ServiceDuties,
        resign: () -> Void, freeze: (_ isHandedOver: Bool) -> Void
    ) -> Ending {
        let first = awaitCause(signals, duties)
        resign()
        if case .signal(let signal) = first {
            duties.end("draining")
            if signal == .terminate, options.acceptGrace > .zero {
                lifecycle.enter(.grace)
                logger.info(
                    "shutting down", ["signal": LogValue(first.name), "accept_grace": LogValue(options.acceptGrace)])
                let deadline = MonotonicTime.now() + options.acceptGrace
                if let second = nextEnd(signals, duties, until: deadline) { return .forced(second) }
            }
        }
        lifecycle.enter(.draining)
        freeze(first == .handedOver)
        if first != .handedOver { dataPlane.beginDrain() }
        logger.info(
            "draining",
            [
                "signal": LogValue(first.name), "connections": LogValue(dataPlane.activeConnections),
                "deadline": LogValue(options.drainDeadline),
            ])
        return drain(signals, dataPlane, duties, ignoresFirst: first == .handedOver)
    }

    /// `ignoresFirst`: a service manager that ends the service tells all its processes, and this one is ending already.
    private func drain(
        _ signals: any SignalSource, _ dataPlane: any DataPlane, _ duties: ServiceDuties, ignoresFirst: Bool
    ) -> Ending {
        let deadline = MonotonicTime.now() + options.drainDeadline
        var ignores = ignoresFirst
        while dataPlane.activeConnections > 0 {
            let now = MonotonicTime.now()
            guard now < deadline else {
                let left = dataPlane.activeConnections
                logger.warning("drain deadline", ["connections": LogValue(left)])
                return .cut(connections: left)
            }
            if duties.isLastOfService {
                logger.error("the successor has died: ending, so that the service manager starts another")
                return .cut(connections: dataPlane.activeConnections)
            }
            let turn = min(deadline, now + .milliseconds(50))
            guard let second = nextEnd(signals, duties, until: turn) else { continue }
            if !ignores { return .forced(second) }
            ignores = false
            logger.info("draining already; a second signal ends at once", ["signal": LogValue(second.name)])
        }
        return .drained
    }

    /// Serves until there is a reason to stop accepting.
    private func awaitCause(_ signals: any SignalSource, _ duties: ServiceDuties) -> Cause {
        while true {
            if let successor = duties.turn() {
                duties.handOver(to: successor)
                return .handedOver
            }
            switch signals.next(until: duties.due, or: duties.descriptors) {
            case nil: continue
            case .upgrade: duties.predecessor.startSuccessor()
            case .hangup: duties.reload()
            case let signal?: return .signal(signal)
            }
        }
    }

    /// The next signal that means to end.
    private func nextEnd(
        _ signals: any SignalSource, _ duties: ServiceDuties, until deadline: MonotonicTime
    ) -> ProcessSignal? {
        while let signal = signals.next(until: deadline) {
            switch signal {
            case .hangup: duties.reload()
            case .upgrade: logger.info("SIGUSR2 ignored: this process is ending")
            case .interrupt, .terminate: return signal
            }
        }
        return nil
    }
}
