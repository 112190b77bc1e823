internal import Primitives

/// One aspect of an object's status. The time of its last transition is the writer's business.
public struct Condition: Codable, Hashable, Sendable {
    public var type: ConditionType
    public var status: Status
    public var reason: Reason
    /// At most 32,768 characters, Kubernetes' limit; control characters of what is quoted are escaped.
    public var message: String
    /// The generation of the object that the condition speaks of; absent for objects from manifests without one.
    public var observedGeneration: Int64?

    public init(
        _ type: ConditionType, _ status: Status, _ reason: Reason, _ message: String = "",
        observedGeneration: Int64? = nil
    ) {
        self.type = type
        self.status = status
        self.reason = reason
        // Most are plain. The API server counts code points, of which a character of Swift's may have any number.
        let isPlain = message.utf8.count <= 32_768 && message.utf8.allSatisfy { (0x20..<0x7f).contains($0) }
        self.message = isPlain ? message : printable(message, limit: message.utf8.count <= 32_768 ? .max : 32_000)
        self.observedGeneration = observedGeneration
    }

    /// Whether the condition holds.
    public enum Status: String, Codable, Hashable, Sendable {
        case `true` = "True"
        case `false` = "False"
        case unknown = "Unknown"
    }

    /// What a condition is about. Open: others add their own.
    public struct ConditionType: RawRepresentable, Codable, Hashable, Sendable {
        public var rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public init(_ rawValue: String) { self.rawValue = rawValue }
    }

    /// Why. Open: the server may hold reasons from another version or controller.
    public struct Reason: RawRepresentable, Codable, Hashable, Sendable {
        public var rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }
        public init(_ rawValue: String) { self.rawValue = rawValue }
    }
}

extension Condition.ConditionType {
    public static let accepted = Self("Accepted")
    public static let programmed = Self("Programmed")
    public static let resolvedRefs = Self("ResolvedRefs")
    public static let conflicted = Self("Conflicted")
    /// Client certificates are asked for, but not demanded; present only when true.
    public static let insecureFrontendValidationMode = Self("InsecureFrontendValidationMode")
    public static let overlappingTLSConfig = Self("OverlappingTLSConfig")
    public static let supportedVersion = Self("SupportedVersion")
    /// Some of a route's rules are left out; present only when true.
    public static let partiallyInvalid = Self("PartiallyInvalid")
    /// A route that lost a listener to an older one.
    public static let superseded = Self("sluice.dev/Superseded")
    /// Something works but deserves attention; present only when true.
    public static let warning = Self("sluice.dev/Warning")
    /// ClientPolicies hold for the object's traffic; False: one of them has no room to say so.
    public static let clientPolicyAffected = Self("sluice.dev/ClientPolicyAffected")
    /// The same of BackendPolicies.
    public static let backendPolicyAffected = Self("sluice.dev/BackendPolicyAffected")
}

extension Condition.Reason {
    public static let accepted = Self("Accepted")
    public static let programmed = Self("Programmed")
    public static let resolvedRefs = Self("ResolvedRefs")
    public static let pending = Self("Pending")
    public static let invalid = Self("Invalid")
    public static let conflicted = Self("Conflicted")
    // Gateways and classes
    public static let invalidParameters = Self("InvalidParameters")
    public static let supportedVersion = Self("SupportedVersion")
    public static let unsupportedVersion = Self("UnsupportedVersion")
    public static let listenersNotValid = Self("ListenersNotValid")
    public static let listenersNotResolved = Self("ListenersNotResolved")
    public static let unsupportedAddress = Self("UnsupportedAddress")
    public static let addressNotAssigned = Self("AddressNotAssigned")
    public static let addressNotUsable = Self("AddressNotUsable")
    public static let noResources = Self("NoResources")
    public static let invalidClientCertificateRef = Self("InvalidClientCertificateRef")
    public static let configurationChanged = Self("ConfigurationChanged")
    // ListenerSets
    public static let notAllowed = Self("NotAllowed")
    public static let parentNotAccepted = Self("ParentNotAccepted")
    public static let parentNotProgrammed = Self("ParentNotProgrammed")
    // Listeners
    public static let noConflicts = Self("NoConflicts")
    public static let hostnameConflict = Self("HostnameConflict")
    public static let protocolConflict = Self("ProtocolConflict")
    public static let portUnavailable = Self("PortUnavailable")
    public static let unsupportedProtocol = Self("UnsupportedProtocol")
    public static let unsupportedValue = Self("UnsupportedValue")
    public static let noValidCACertificate = Self("NoValidCACertificate")
    public static let invalidCertificateRef = Self("InvalidCertificateRef")
    public static let invalidCACertificateKind = Self("InvalidCACertificateKind")
    public static let invalidRouteKinds = Self("InvalidRouteKinds")
    public static let overlappingHostnames = Self("OverlappingHostnames")
    public static let overlappingCertificates = Self("OverlappingCertificates")
    // Routes and policies
    public static let refNotPermitted = Self("RefNotPermitted")
    public static let invalidKind = Self("InvalidKind")
    public static let backendNotFound = Self("BackendNotFound")
    public static let dnsFailed = Self("DNSFailed")
    public static let notAllowedByListeners = Self("NotAllowedByListeners")
    public static let noMatchingListenerHostname = Self("NoMatchingListenerHostname")
    public static let noMatchingParent = Self("NoMatchingParent")
    public static let targetNotFound = Self("TargetNotFound")
    public static let invalidCACertificateRef = Self("InvalidCACertificateRef")
    public static let olderRouteServes = Self("OlderRouteServes")
    /// A route with a narrower host name, or of a kind that goes before, has the listener.
    public static let narrowerRouteServes = Self("NarrowerRouteServes")
    // ClientPolicies and BackendPolicies
    public static let unsupportedTarget = Self("UnsupportedTarget")
    public static let invalidRef = Self("InvalidRef")
    /// More specific policies set all of a policy's fields.
    public static let overridden = Self("Overridden")
    /// More specific policies set some of a policy's fields.
    public static let partiallyProgrammed = Self("PartiallyProgrammed")
    /// PROXY protocol headers are believed whoever sends them.
    public static let trustsAllPeers = Self("TrustsAllPeers")
    /// A rule asks for what connections of a listener never have.
    public static let ruleCannotMatch = Self("RuleCannotMatch")
    /// What a policy demands cannot be enforced at a listener that others added: nobody is let in there.
    public static let notEnforceable = Self("NotEnforceable")
    /// It is not known among how many pods a limit is to be shared out.
    public static let replicasUnknown = Self("ReplicasUnknown")
    /// Health checks are asked for where there is nothing to check.
    public static let noEndpointChecked = Self("NoEndpointChecked")
    /// Zones are to count, and it is not known which one is ours.
    public static let zoneUnknown = Self("ZoneUnknown")
    /// Policies of the kind are in force for an object's traffic.
    public static let policyAffected = Self("PolicyAffected")
    /// A policy's status has no room for another Gateway.
    public static let ancestorLimit = Self("AncestorLimit")
}
