internal import EngineModel
internal import FoundationEssentials
internal import KubernetesAPI

extension ControllerState {
    /// The answer of /config: what the engine runs, and the conditions, without keys. `source`: where the objects come
    /// from. UTF-8 JSON.
    public func configurationJSON(source: some Encodable) throws -> [UInt8] {
        try encodeJSON(
            Answer(
                source: source, generation: acknowledgement?.generation ?? 0, appliedAt: appliedAt,
                configuration: configuration.map { ConfigurationView($0, acknowledgement) },
                conditions: statuses.sorted.map(ConditionView.init)))
    }

    private struct Answer<Source: Encodable>: Encodable {
        var source: Source
        var generation: UInt64
        var appliedAt: Int64?
        var configuration: ConfigurationView?
        var conditions: [ConditionView]
    }
}

/// A condition in JSON, with what it speaks of.
public struct ConditionView: Encodable, Hashable, Sendable {
    public var object: String
    public var listener: String?
    public var parent: String?
    public var type: String
    public var status: String
    public var reason: String
    public var message: String
    /// Seconds since 1970; absent where nothing is served.
    public var lastTransitionTime: Int64?

    public init(_ item: StatusItem, lastTransitionTime: Int64? = nil) {
        object = item.subject.object
        switch item.subject.part {
        case .whole: break
        case .listener(let name): listener = name
        case .parent(let name): parent = name
        }
        type = item.condition.type.rawValue
        status = item.condition.status.rawValue
        reason = item.condition.reason.rawValue
        message = item.condition.message
        self.lastTransitionTime = lastTransitionTime
    }

    init(_ entry: (key: StatusStore.Key, entry: StatusStore.Entry)) {
        self.init(
            StatusItem(entry.key.subject, entry.entry.condition), lastTransitionTime: entry.entry.lastTransitionTime)
    }
}

/// Indented, keys sorted, slashes as they are, with a newline at the end.
public func encodeJSON(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
}
