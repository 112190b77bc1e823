import EngineModel
import Platform

/// A configuration target that remembers what it was given and answers as it is told.
final class RecordingTarget: ConfigurationTarget {
    private struct State {
        var applied: [EngineConfiguration] = []
        var failures: [UInt16: BindFailure] = [:]
        var observer: (@Sendable (Acknowledgement) -> Void)?
    }

    private let state = Locked(State())

    /// Every configuration, in order.
    var applied: [EngineConfiguration] { state.withLock { $0.applied } }

    /// From now on this port cannot be bound; nil: it can.
    func fail(_ port: UInt16, with message: String?) {
        state.withLock { $0.failures[port] = message.map { BindFailure(errno: 98, message: $0) } }
    }

    func apply(_ configuration: EngineConfiguration) -> Acknowledgement {
        state.withLock { state in
            state.applied.append(configuration)
            return RecordingTarget.acknowledge(state)
        }
    }

    func onListenerChange(_ body: @escaping @Sendable (Acknowledgement) -> Void) {
        state.withLock { $0.observer = body }
    }

    /// Says what holds now, as the engine does after a retry; `generation` 0 stands for the current one.
    func reportListeners(generation: UInt64 = 0) {
        let (observer, answer) = state.withLock { ($0.observer, RecordingTarget.acknowledge($0)) }
        var changed = answer
        if generation > 0 { changed.generation = generation }
        observer?(changed)
    }

    private static func acknowledge(_ state: State) -> Acknowledgement {
        var bindings: [Binding: BindingState] = [:]
        for binding in state.applied.last?.listeners.flatMap(\.bindings) ?? [] {
            bindings[binding] = state.failures[binding.port].map { .failed($0) } ?? .bound
        }
        return Acknowledgement(generation: UInt64(state.applied.count), bindings: bindings)
    }
}
