/// What goes wrong on command. A fault lasts until it is changed.
public struct Faults: Hashable, Sendable {
    /// Waited before each answer.
    public var latency: Duration = .zero
    /// Answered to every request instead of what it asks for: 429, 500, 503 and so on; nil: nothing.
    public var answersWith: Int?
    /// Sent with ``answersWith``, in seconds.
    public var retryAfter: Int?
    /// How many requests the above holds for; nil: all.
    public var remaining: Int?
    /// Only for requests whose method is one of these; empty: all.
    public var methods: Set<String> = []
    /// Only for requests whose path contains this; empty: all.
    public var pathContains = ""
    /// Requests are read and the connection then reset without an answer.
    public var dropsConnections = false
    /// Ends every watch when it has lasted so long.
    public var closesWatchesAfter: Duration?
    /// Running watches stay open and say nothing more; new ones neither.
    public var silencesWatches = false
    /// The next event of each watch has this text instead of an object; taken once per watch.
    public var garbage: String?
    /// Bodies and events leave in pieces of this many bytes every 10 ms.
    public var trickle: Int?
    /// Tokens are refused whatever they are.
    public var refusesTokens = false

    public init() {}

    /// Every request fails with that code.
    public static func failing(_ code: Int, retryAfter: Int? = nil, times: Int? = nil) -> Faults {
        var faults = Faults()
        (faults.answersWith, faults.retryAfter, faults.remaining) = (code, retryAfter, times)
        return faults
    }

    func concerns(_ request: ServedRequest) -> Bool {
        (methods.isEmpty || methods.contains(request.method))
            && (pathContains.isEmpty || request.target.contains(pathContains))
    }
}
