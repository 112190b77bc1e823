/// Status of a GatewayClass.
public struct GatewayClassStatus: Codable, Hashable, Sendable, FieldListing {
    public var conditions: [Condition]
    public var supportedFeatures: [SupportedFeature]?
    public static let unreadFields: Set<String> = []

    public init(conditions: [Condition] = [], supportedFeatures: [SupportedFeature]? = nil) {
        self.conditions = conditions
        self.supportedFeatures = supportedFeatures
    }
}

/// A feature by its Gateway API name.
public struct SupportedFeature: Codable, Hashable, Sendable, FieldListing {
    public var name: String
    public static let unreadFields: Set<String> = []

    public init(name: String) {
        self.name = name
    }
}

/// Status of a Gateway.
public struct GatewayStatus: Codable, Hashable, Sendable, FieldListing {
    public var addresses: [GatewayStatusAddress]?
    public var conditions: [Condition]
    public var listeners: [ListenerStatus]
    /// How many ListenerSets are accepted; absent where the gateway allows none.
    public var attachedListenerSets: Int?
    public static let unreadFields: Set<String> = []

    public init(
        addresses: [GatewayStatusAddress]? = nil, conditions: [Condition] = [], listeners: [ListenerStatus] = [],
        attachedListenerSets: Int? = nil
    ) {
        self.addresses = addresses
        self.conditions = conditions
        self.listeners = listeners
        self.attachedListenerSets = attachedListenerSets
    }
}

/// Status of a ListenerSet.
public struct ListenerSetStatus: Codable, Hashable, Sendable, FieldListing {
    public var conditions: [Condition]
    public var listeners: [ListenerStatus]
    public static let unreadFields: Set<String> = []

    public init(conditions: [Condition] = [], listeners: [ListenerStatus] = []) {
        self.conditions = conditions
        self.listeners = listeners
    }
}

/// An address that a gateway is reachable at.
public struct GatewayStatusAddress: Codable, Hashable, Sendable, FieldListing {
    public var type: String?
    public var value: String
    public static let unreadFields: Set<String> = []

    public init(type: String? = nil, value: String) {
        self.type = type
        self.value = value
    }
}

/// Status of one listener.
public struct ListenerStatus: Codable, Hashable, Sendable, FieldListing {
    public var name: String
    public var supportedKinds: [Gateway.RouteGroupKind]?
    public var attachedRoutes: Int
    public var conditions: [Condition]
    public static let unreadFields: Set<String> = []

    public init(
        name: String, supportedKinds: [Gateway.RouteGroupKind]? = nil, attachedRoutes: Int, conditions: [Condition] = []
    ) {
        self.name = name
        self.supportedKinds = supportedKinds
        self.attachedRoutes = attachedRoutes
        self.conditions = conditions
    }
}

/// Status of a route.
public struct RouteStatus: Codable, Hashable, Sendable, FieldListing {
    public var parents: [RouteParentStatus]
    public static let unreadFields: Set<String> = []

    public init(parents: [RouteParentStatus] = []) {
        self.parents = parents
    }
}

/// Status of a route towards one parent.
public struct RouteParentStatus: Codable, Hashable, Sendable, FieldListing {
    public var parentRef: ParentReference
    public var controllerName: String
    public var conditions: [Condition]
    public static let unreadFields: Set<String> = []

    public init(parentRef: ParentReference, controllerName: String, conditions: [Condition] = []) {
        self.parentRef = parentRef
        self.controllerName = controllerName
        self.conditions = conditions
    }
}

/// Status of a policy.
public struct PolicyStatus: Codable, Hashable, Sendable, FieldListing {
    public var ancestors: [PolicyAncestorStatus]
    public static let unreadFields: Set<String> = []

    public init(ancestors: [PolicyAncestorStatus] = []) {
        self.ancestors = ancestors
    }
}

/// Status of a policy towards one ancestor: the gateway whose traffic it affects.
public struct PolicyAncestorStatus: Codable, Hashable, Sendable, FieldListing {
    public var ancestorRef: ParentReference
    public var controllerName: String
    public var conditions: [Condition]
    public static let unreadFields: Set<String> = []

    public init(ancestorRef: ParentReference, controllerName: String, conditions: [Condition] = []) {
        self.ancestorRef = ancestorRef
        self.controllerName = controllerName
        self.conditions = conditions
    }
}

/// Status of a sluice.dev Backend.
public struct BackendStatus: Codable, Hashable, Sendable, FieldListing {
    public var conditions: [Condition]
    public static let unreadFields: Set<String> = []

    public init(conditions: [Condition] = []) {
        self.conditions = conditions
    }
}

/// Status of a sluice.dev GatewayParameters.
public struct GatewayParametersStatus: Codable, Hashable, Sendable, FieldListing {
    public var conditions: [Condition]
    public static let unreadFields: Set<String> = []

    public init(conditions: [Condition] = []) {
        self.conditions = conditions
    }
}
