public import Platform

/// Signal numbers of Linux that `run` and `echo` obey.
public enum ProcessSignal: Int32, CaseIterable, Sendable {
    /// Ignored: the folder is watched, there is nothing to reload.
    case hangup = 1
    /// Ends without an accept grace.
    case interrupt = 2
    case terminate = 15

    var name: String {
        switch self {
        case .hangup: "SIGHUP"
        case .interrupt: "SIGINT"
        case .terminate: "SIGTERM"
        }
    }
}

/// Where signals come from: the kernel, or a test.
protocol SignalSource: Sendable {
    /// The next signal, or nil when `deadline` (monotonic, nil: never) passes first.
    func next(until deadline: MonotonicTime?) -> ProcessSignal?
}

/// The kernel's. Make it before any other thread starts.
public final class KernelSignals: SignalSource {
    private let descriptor: SignalDescriptor

    public init() throws(Errno) { descriptor = try SignalDescriptor(ProcessSignal.allCases.map(\.rawValue)) }

    func next(until deadline: MonotonicTime?) -> ProcessSignal? {
        while true {
            if let number = descriptor.read(), let signal = ProcessSignal(rawValue: number) { return signal }
            let left = deadline.map { $0 - .now() }
            if let left, left <= .zero { return nil }
            _ = try? pollReadable([descriptor.raw], timeout: left)
        }
    }
}
