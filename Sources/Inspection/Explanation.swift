/// Why an object serves traffic, or why not: the chain from the Gateway to the endpoints, link by link. `/explain` answers
/// with it, `sluice explain` prints it, `sluice check` has the links that manifests alone decide.
public struct Explanation: Codable, Hashable, Sendable {
    /// Such as `TCPRoute infra/redis`.
    public var object: String
    /// In the order in which a connection meets them.
    public var links: [Link]
    /// Values of policies that hold for it, defaults included.
    public var values: [EffectiveValue]

    /// Whether traffic flows: no link is broken.
    public var isServed: Bool { links.allSatisfy { $0.verdict != .broken } }

    public init(object: String, links: [Link] = [], values: [EffectiveValue] = []) {
        (self.object, self.links, self.values) = (object, links, values)
    }

    /// One link of a chain.
    public struct Link: Codable, Hashable, Sendable {
        public enum Verdict: String, Codable, Hashable, Sendable {
            case good
            /// Traffic flows, though something is to be looked at.
            case warning
            case broken
        }
        public var verdict: Verdict
        /// Such as `Gateway infra/edge`, `listener redis`, `Service infra/redis:6379`, `endpoint 10.0.0.7:6379`.
        public var object: String
        /// The field that decides, such as `spec.rules[0].backendRefs[0]`; nil: none in particular.
        public var field: String?
        /// Of ``Cause``; nil where nothing is wrong.
        public var cause: String?
        /// What is so, in one sentence.
        public var message: String
        /// What to do; nil where nothing is wrong.
        public var advice: String?
        /// How deep it stands: 0 for a Gateway.
        public var depth: Int

        public init(
            _ verdict: Verdict, object: String, field: String? = nil, cause: String? = nil, message: String,
            advice: String? = nil, depth: Int = 0
        ) {
            (self.verdict, self.object, self.field, self.cause) = (verdict, object, field, cause)
            (self.message, self.advice, self.depth) = (message, advice, depth)
        }
    }

    /// A setting that holds, and whose it is.
    public struct EffectiveValue: Codable, Hashable, Sendable {
        /// Such as `ClientPolicy.timeouts.idleTimeout`.
        public var field: String
        public var value: String
        /// Such as `ClientPolicy infra/edge at Gateway infra/edge`, or `default`.
        public var source: String

        public init(field: String, value: String, source: String) {
            (self.field, self.value, self.source) = (field, value, source)
        }
    }
}

/// What a connection would meet that is not made: `/trace`, `sluice trace`.
public struct TraceAnswer: Codable, Hashable, Sendable {
    /// In the order in which the connection would meet them.
    public var links: [Explanation.Link]
    /// Of ``EngineModel/CloseReason``: what it would be refused with; nil: it would reach one of ``endpoints``.
    public var refusal: String?
    public var listener: String?
    public var route: String?
    /// Those it would be sent to, with the share of connections in percent.
    public var backends: [Share]
    public var endpoints: [EndpointNode]

    public struct Share: Codable, Hashable, Sendable {
        public var backend: String
        public var percent: Double

        public init(backend: String, percent: Double) { (self.backend, self.percent) = (backend, percent) }
    }

    public init(links: [Explanation.Link] = []) {
        self.links = links
        (backends, endpoints) = ([], [])
    }
}
