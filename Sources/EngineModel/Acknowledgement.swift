/// What takes configurations: the engine, or a test's recorder.
public protocol ConfigurationTarget: Sendable {
    /// Makes `configuration` the one that is served and returns once every worker runs it. Established connections are
    /// never touched. Called from one thread at a time; blocks for milliseconds.
    func apply(_ configuration: EngineConfiguration) -> Acknowledgement

    /// The same, where it is known what may differ from a configuration before. Does what ``apply(_:)`` does, whether or not that
    /// one is what runs.
    func apply(_ configuration: EngineConfiguration, change: ConfigurationChange?) -> Acknowledgement

    /// Calls `body`, from a thread of the engine, when what was acknowledged changes between applications: a bind that is retried
    /// succeeds, a backend's name is answered. One observer; the latest wins.
    func onListenerChange(_ body: @escaping @Sendable (Acknowledgement) -> Void)
}

extension ConfigurationTarget {
    public func apply(_ configuration: EngineConfiguration, change: ConfigurationChange?) -> Acknowledgement {
        apply(configuration)
    }
}

/// What the engine runs.
public struct Acknowledgement: Hashable, Sendable {
    /// Counts applications from 1.
    public var generation: UInt64
    public var bindings: [Binding: BindingState]
    /// Backends, without variant, with a name that has no address which could be used: one sentence says which names, and why.
    /// One whose last good answer is kept is none of them.
    public var unresolved: [BackendID: String] = [:]
    /// Backends, without variant, all of whose names have addresses.
    public var resolved: Set<BackendID> = []

    public init(generation: UInt64, bindings: [Binding: BindingState]) {
        self.generation = generation
        self.bindings = bindings
    }
}

public enum BindingState: Hashable, Sendable {
    case bound
    /// Not bound; the engine tries again with back-off.
    case failed(BindFailure)
}

public struct BindFailure: Hashable, Sendable, Error {
    /// errno of the failed call.
    public var errno: Int32
    /// One sentence that says what is wrong and who holds the port where that can be seen, such as
    /// `port 6379 is in use by redis-server (pid 812)`.
    public var message: String
    public init(errno: Int32, message: String) {
        self.errno = errno
        self.message = message
    }
}
