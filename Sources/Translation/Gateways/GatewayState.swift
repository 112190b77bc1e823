internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// A gateway of ours on its way through the translation.
struct GatewayState {
    let key: ObjectKey
    let gateway: Gateway
    /// Why the gateway as a whole is not served, its listeners apart.
    var rejection: Verdict?
    let parameters: EffectiveParameters
    /// Addresses the gateway asks for, in its order.
    let requested: [RequestedAddress]
    var exposure = GatewayExposure.host([])
    /// Why the gateway is accepted, and yet cannot be served at the addresses it asks for.
    var unusable: Verdict?
    /// The gateway's own, then those of its ListenerSets in order of precedence.
    var listeners: [ListenerState]
    /// ListenerSets that name the gateway, in order of precedence.
    var sets: [ListenerSetState] = []
    /// Shown to backends that are spoken to in TLS.
    var clientCertificate: KeyPairFacts?
    /// References of the gateway itself that lead nowhere.
    var unresolved: [Verdict] = []
    var remarks: [String] = []
    /// Whether a port lets clients in whose certificate does not verify.
    var allowsInsecureFallback = false

    var ownListeners: ArraySlice<ListenerState> { listeners.prefix(gateway.spec.listeners.count) }
    var generation: Int64? { gateway.metadata.generation }

    /// Decides which listeners are part of the configuration; to be called when nothing more can go wrong.
    mutating func settle() {
        for index in listeners.indices {
            listeners[index].isServed =
                rejection == nil && unusable == nil && listeners[index].obstacle == nil
        }
    }
}

/// A listener on its way through the translation.
struct ListenerState {
    /// What the listener does with a stream.
    enum Traffic: Hashable {
        case tcp
        case passthrough
        case terminate
        /// Its protocol is none of ours; the text is the protocol.
        case unsupported(String)
    }

    let spec: Gateway.Listener
    let owner: ListenerOwner
    let id: ListenerID
    let traffic: Traffic
    /// Nil: no host name given, every name.
    let hostname: HostnamePattern?
    /// Route kinds that may attach, in the listener's order.
    var kinds: [RouteKind] = []
    var namespaces: NamespaceRule
    /// Why the listener cannot be accepted, conflicts apart.
    var rejections: [Verdict] = []
    var conflict: Verdict?
    var unresolved: [Verdict] = []
    /// Usable certificates of a listener that terminates TLS.
    var certificates: [KeyPairFacts] = []
    /// Which client certificates are asked for; nil: none.
    var clientValidation: ClientValidation?
    /// What deserves to be said though nothing is wrong.
    var remarks: [String] = []
    var overlap: Verdict?
    /// Whether the listener is part of the configuration.
    var isServed = false
    /// Offered to clients, by the listener's options.
    var alpnProtocols: [String]?

    var isTLS: Bool { traffic == .passthrough || traffic == .terminate }

    /// Whether its port is its own, though it may not be served just now. What is merely missing gives the port to nobody
    /// else: a certificate, or a client CA.
    var keepsPort: Bool { conflict == nil && mayBeServed }

    /// Whether nothing is wrong with it, conflicts apart, but what is merely missing.
    var mayBeServed: Bool { rejections.allSatisfy { $0.reason == .noValidCACertificate } }

    /// Why the listener is not served, its gateway apart; nil: it is.
    var obstacle: Verdict? {
        if let rejection = rejections.merged { return Verdict(.invalid, rejection.message) }
        if let conflict { return conflict }
        if traffic == .terminate, certificates.isEmpty { return Verdict(.invalid, "no certificate can be used") }
        if kinds.isEmpty { return Verdict(.invalid, "no kind of route can attach") }
        return nil
    }
}

/// A name that a route takes at a listener.
struct AttachedName {
    /// The intersection of the listener's and the route's host names.
    let name: HostnamePattern?
    /// How narrow the route's own host name is: decides between routes whose intersections are equal.
    let specificity: Int
}

/// Which namespaces' routes may attach to a listener.
enum NamespaceRule {
    case all
    case same(String)
    case selector(LabelSelector)
    /// Nothing may: the listener's rule cannot be read.
    case none

    func admits(_ namespace: String, in snapshot: ClusterSnapshot, standalone: Bool) -> Bool {
        switch self {
        case .all: true
        case .same(let own): namespace == own
        case .selector(let selector): selector.admits(namespace, in: snapshot, standalone: standalone)
        case .none: false
        }
    }
}

extension LabelSelector {
    /// Whether it picks a namespace. In a cluster one that no object describes is merely not known yet: nothing may be
    /// concluded from labels it seems to lack.
    func admits(_ namespace: String, in snapshot: ClusterSnapshot, standalone: Bool) -> Bool {
        guard standalone || snapshot.namespaces[ObjectKey(namespace: "", name: namespace)] != nil else { return false }
        return isValid && matches(snapshot.labels(ofNamespace: namespace))
    }
}

/// A kind of route we serve.
enum RouteKind: String, Hashable {
    case tcp = "TCPRoute"
    case tls = "TLSRoute"
}
