internal import Platform
internal import Primitives

/// `kubectl port-forward` as a child: a local port, chosen by kubectl, that leads to a pod. Ends with ``close()``, or when this
/// process is told to end by a signal.
final class PortForward: Sendable {
    private struct State {
        var output: [UInt8] = []
        var errors: [UInt8] = []
        var ending: ChildProcess.Ending?
        var isClosing = false
        var isOver = false
    }

    private let state: Monitored<State>
    /// Where the pod answers on this host: `127.0.0.1:PORT`.
    let address: String

    /// The command that does the same by hand.
    static func arguments(
        _ target: RemoteOptions.ClusterTarget, localPort: UInt16?, kubectl: String = "kubectl"
    ) -> [String] {
        let namespace = target.namespace.map { ["--namespace", $0] } ?? []
        return [kubectl, "port-forward"] + namespace
            + ["--address", "127.0.0.1", target.object, "\(localPort.map { "\($0)" } ?? ""):\(target.port)"]
    }

    /// Starts kubectl and waits until it listens. `signals`: who tells that this process is to end; nil: nobody.
    /// `kubectl`: the program, looked up on PATH.
    /// - Throws: one line that says what kubectl said, or the command to run where there is no kubectl.
    init(
        _ target: RemoteOptions.ClusterTarget, command: String, signals: (any SignalSource)?,
        kubectl: String = "kubectl", patience: Duration = .seconds(20)
    ) throws(StartFailure) {
        let state = Monitored(State())
        do throws(Errno) {
            let run = try PortForwardRun(PortForward.arguments(target, localPort: nil, kubectl: kubectl))
            try Thread(named: "port-forward") {
                run.watch(signals) { output, errors, ending in
                    state.update { state in
                        if state.output.count < 4096 { state.output += output }
                        if state.errors.count < 4096 { state.errors += errors }
                        state.ending = ending
                        state.isOver = ending != nil
                        return state.isClosing
                    }
                }
            }.detach()
        } catch {
            throw PortForward.failure(toStart: target, command, error)
        }
        let found = state.wait(until: .now() + patience) { state -> Result<String, StartFailure>? in
            if let address = PortForward.address(in: state.output) { return .success(address) }
            guard let ending = state.ending else { return nil }
            return .failure(StartFailure("sluice \(command): \(PortForward.complaint(state.errors, ending))"))
        }
        self.state = state
        let silence = StartFailure("sluice \(command): kubectl port-forward did not listen within \(patience)")
        switch found ?? .failure(silence) {
        case .success(let address): self.address = address
        case .failure(let failure):
            state.update { $0.isClosing = true }
            throw failure
        }
    }

    deinit { state.update { $0.isClosing = true } }

    /// Ends kubectl, and waits until it has ended.
    func close() {
        state.update { $0.isClosing = true }
        let _: Bool? = state.wait(until: .now() + .seconds(5)) { $0.isOver ? true : nil }
    }

    private static func failure(
        toStart target: RemoteOptions.ClusterTarget, _ command: String, _ error: Errno
    ) -> StartFailure {
        guard error == .noEntry else { return StartFailure("sluice \(command): kubectl cannot be started: \(error)") }
        let words = arguments(target, localPort: target.port).joined(separator: " ")
        return StartFailure(
            "sluice \(command): there is no kubectl on PATH; where there is one run: \(words)\n"
                + "and then: sluice \(command) --admin-address 127.0.0.1:\(target.port)")
    }

    /// From `Forwarding from 127.0.0.1:40123 -> 19000`.
    private static func address(in output: [UInt8]) -> String? {
        let text = String(decoding: output, as: UTF8.self)
        guard let mark = text.firstRange(of: "Forwarding from "),
            let arrow = text[mark.upperBound...].firstRange(of: " -> ")
        else { return nil }
        let address = String(text[mark.upperBound..<arrow.lowerBound])
        return SocketAddress(address) == nil ? nil : address
    }

    private static func complaint(_ errors: [UInt8], _ ending: ChildProcess.Ending) -> String {
        let lines = String(decoding: errors, as: UTF8.self).split(whereSeparator: \.isNewline)
        if let last = lines.last { return "kubectl says: \(printable(last, limit: 400))" }
        return switch ending {
        case .exited(let code): "kubectl port-forward ended with exit code \(code)"
        case .signalled(let number): "kubectl port-forward was ended by signal \(number)"
        }
    }
}

/// The child with its pipes, read by one thread.
private final class PortForwardRun: Sendable {
    private let child: ChildProcess
    private let output: Pipe
    private let errors: Pipe

    init(_ arguments: [String]) throws(Errno) {
        let output = try Pipe()
        let errors = try Pipe()
        try output.writing.setNonBlocking(false)
        try errors.writing.setNonBlocking(false)
        let nothing = try FileDescriptor(readingFileAt: "/dev/null")
        child = try ChildProcess(
            arguments, input: nothing.raw, output: output.writing.raw, error: errors.writing.raw)
        self.output = output
        self.errors = errors
    }

    /// Hands over what the child writes until it has ended; ends it when `report` says so, and this process with it when a signal
    /// comes.
    func watch(
        _ signals: (any SignalSource)?, report: ([UInt8], [UInt8], ChildProcess.Ending?) -> Bool
    ) {
        var patience = MonotonicTime.now() + .seconds(3600 * 24 * 365)
        var isEnding = false
        while true {
            // First how it stands, then what is there: what it wrote before its end is not missed.
            let ending = child.poll()
            let isClosing = report(PortForwardRun.drain(output.reading), PortForwardRun.drain(errors.reading), ending)
            // Ctrl-C reaches kubectl too, which may be gone before the signal is read here: it still has to end this process.
            if ending != nil, isClosing || signals == nil { return }
            if isClosing, !isEnding {
                child.signal(ProcessSignal.terminate.rawValue)
                (isEnding, patience) = (true, .now() + .seconds(2))
            }
            if MonotonicTime.now() > patience { child.signal(9) }
            if let signal = signals?.next(until: .now()) {
                child.signal(ProcessSignal.terminate.rawValue)
                Host.exit(128 + signal.rawValue)
            }
            _ = try? pollReadable([output.reading.raw, errors.reading.raw], timeout: .milliseconds(20))
        }
    }

    private static func drain(_ pipe: borrowing FileDescriptor) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4 << 10)
        while bytes.count < 64 << 10 {
            let count = chunk.withUnsafeMutableBytes { buffer in (try? pipe.read(into: buffer)) ?? 0 }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return bytes
    }
}
