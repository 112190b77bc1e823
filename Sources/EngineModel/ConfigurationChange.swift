public import Primitives

/// Where a configuration may differ from the one before: all else is the same in both. It spares whoever takes the configuration
/// to look for that among thousands of routes, and says nothing that a comparison of the two would not.
public struct ConfigurationChange: Sendable {
    /// The configuration before.
    public let before: EngineConfiguration
    /// Host names whose routes may be others, by listener. Which listeners there are, and what they say beside names, is looked at
    /// in any case.
    public var names: [ListenerID: Set<HostnamePattern>] = [:]
    public var backends: Set<BackendID> = []

    public init(since before: EngineConfiguration) { self.before = before }
}
