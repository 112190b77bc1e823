/// Where the connections of a route go; one rule of a TCPRoute or TLSRoute.
public struct RouteRule: Codable, Hashable, Sendable, FieldListing {
    public var name: String?
    public var backendRefs: [BackendReference]?
    public static let unreadFields: Set<String> = []

    public init(name: String? = nil, backendRefs: [BackendReference]? = nil) {
        self.name = name
        self.backendRefs = backendRefs
    }
}
