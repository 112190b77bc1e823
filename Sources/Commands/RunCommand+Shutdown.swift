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

    /// Waits for the signal to end, then: accept grace, drain, deadline. `resign` is called with the signal, so that another
    /// replica writes while this one drains; `freeze` ends reconfiguration before the drain.
    func serve(
        _ signals: any SignalSource, _ lifecycle: Lifecycle, _ dataPlane: any DataPlane, resign: () -> Void,
        freeze: () -> Void
    ) -> Ending {
        let first = nextEnd(signals, dataPlane, until: nil) ?? .terminate
        resign()
        if first == .terminate, options.acceptGrace > .zero {
            lifecycle.enter(.grace)
            logger.info(
                "shutting down", ["signal": LogValue(first.name), "accept_grace": LogValue(options.acceptGrace)])
            if let second = nextEnd(signals, dataPlane, until: .now() + options.acceptGrace) { return .forced(second) }
        }
        lifecycle.enter(.draining)
        freeze()
        dataPlane.beginDrain()
        logger.info(
            "draining",
            [
                "signal": LogValue(first.name), "connections": LogValue(dataPlane.activeConnections),
                "deadline": LogValue(options.drainDeadline),
            ])
        return drain(signals, dataPlane)
    }

    private func drain(_ signals: any SignalSource, _ dataPlane: any DataPlane) -> Ending {
        let deadline = MonotonicTime.now() + options.drainDeadline
        while dataPlane.activeConnections > 0 {
            let now = MonotonicTime.now()
            guard now < deadline else {
                let left = dataPlane.activeConnections
                logger.warning("drain deadline", ["connections": LogValue(left)])
                return .cut(connections: left)
            }
            let turn = min(deadline, now + .milliseconds(50))
            if let second = nextEnd(signals, dataPlane, until: turn) { return .forced(second) }
        }
        return .drained
    }

    /// The next signal that means to end; SIGHUP opens the access log's file again.
    private func nextEnd(
        _ signals: any SignalSource, _ dataPlane: any DataPlane, until deadline: MonotonicTime?
    ) -> ProcessSignal? {
        while let signal = signals.next(until: deadline) {
            guard signal == .hangup else { return signal }
            if dataPlane.reopenAccessLog() { continue }
            logger.info("SIGHUP ignored: changes are noticed by themselves, and the access log is no file")
        }
        return nil
    }
}
