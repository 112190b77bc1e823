public import Platform

/// Signal numbers of Linux that `run` and `echo` obey.
public enum ProcessSignal: Int32, CaseIterable, Sendable {
    /// Opens the access log again; the folder is watched, there is nothing else to reload.
    case hangup = 1
    /// Ends without an accept grace.
    case interrupt = 2
    /// Starts the program anew, and hands over to it.
    case upgrade = 12
    case terminate = 15

    var name: String {
        switch self {
        case .hangup: "SIGHUP"
        case .interrupt: "SIGINT"
        case .upgrade: "SIGUSR2"
        case .terminate: "SIGTERM"
        }
    }

    var ends: Bool { self == .interrupt || self == .terminate }
}

/// Where signals come from: the kernel, or a test.
protocol SignalSource: Sendable {
    /// The next signal, or nil when `deadline` (monotonic, nil: never) passes first.
    func next(until deadline: MonotonicTime?) -> ProcessSignal?
    /// As ``next(until:)``; nil also once one of `descriptors` is readable.
    func next(until deadline: MonotonicTime?, or descriptors: [Int32]) -> ProcessSignal?
}

/// The kernel's. Make it before any other thread starts.
public final class KernelSignals: SignalSource {
    private let descriptor: SignalDescriptor

    public init() throws(Errno) { descriptor = try SignalDescriptor(ProcessSignal.allCases.map(\.rawValue)) }

    func next(until deadline: MonotonicTime?) -> ProcessSignal? { next(until: deadline, or: []) }

    func next(until deadline: MonotonicTime?, or descriptors: [Int32]) -> ProcessSignal? {
        while true {
            if let number = descriptor.read(), let signal = ProcessSignal(rawValue: number) { return signal }
            let left = deadline.map { $0 - .now() }
            if let left, left <= .zero { return nil }
            let ready = (try? pollReadable([descriptor.raw] + descriptors, timeout: left)) ?? []
            if ready.contains(where: { $0 > 0 }), !ready.contains(0) { return nil }
        }
    }
}
