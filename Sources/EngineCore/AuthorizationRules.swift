public import EngineModel
public import Primitives

/// What is known of a connection's input to policies.
public enum AuthorizationInput<Value: Hashable & Sendable>: Hashable, Sendable {
    /// Not yet.
    case unknown
    case known(Value)
    /// There is none and will be none: rules that ask for it do not match.
    case absent
}

/// What policies judge a connection by. An input that is known or absent stays so.
public struct AuthorizationInputs: Hashable, Sendable {
    /// The client's address, behind the PROXY protocol.
    public var client: AuthorizationInput<IPAddress>
    /// The peer's address, of the TCP connection itself.
    public var peer: AuthorizationInput<IPAddress>
    /// The ClientHello's name, in lower case without a final dot.
    public var serverName: AuthorizationInput<String>
    /// Of a client certificate that was verified.
    public var identity: AuthorizationInput<ClientIdentity>

    public init(
        client: AuthorizationInput<IPAddress> = .unknown, peer: AuthorizationInput<IPAddress> = .unknown,
        serverName: AuthorizationInput<String> = .unknown, identity: AuthorizationInput<ClientIdentity> = .unknown
    ) {
        self.client = client
        self.peer = peer
        self.serverName = serverName
        self.identity = identity
    }
}

/// What came of a step.
public enum AuthorizationVerdict: Hashable, Sendable {
    /// A rule that may yet match waits for an input.
    case undecided
    /// By the rule of that index; nil: by default.
    case allow(rule: Int?)
    case deny(rule: Int?)
}

/// How far one connection has come in the rules of one policy.
public struct AuthorizationProgress: Hashable, Sendable {
    /// The rule that decides, or waits.
    fileprivate var next = 0
    /// A bit for each rule that audits, was passed and matched, until ``takeAudits()``.
    fileprivate var audits: UInt64 = 0

    public init() {}

    /// The rules that audited since the last call, as bits of their indices: each once in a connection's life.
    public mutating func takeAudits() -> UInt64 {
        defer { audits = 0 }
        return audits
    }
}

/// An ``Authorization`` made ready to be asked for each connection, in steps, as its inputs become known. Rules are gone through
/// in their order; one that a known input already rules out is passed, one that may yet match is waited for. Nothing is
/// decided past a waiting rule, even where all that could come of it agrees: which rule decides is logged and counted, and
/// an audit before it too.
///
/// Asking about addresses and names allocates nothing.
public struct AuthorizationRules: Sendable {
    /// Bits of what audited.
    public static let mostRules = 64

    private let rules: [CompiledRule]
    private let allowsByDefault: Bool

    /// Nil with more than ``mostRules`` rules, which no policy that is valid has: whoever asks lets nobody in then.
    public init?(_ authorization: Authorization) {
        guard authorization.rules.count <= AuthorizationRules.mostRules else { return nil }
        rules = authorization.rules.map { CompiledRule($0) }
        allowsByDefault = authorization.allowsByDefault
    }

    /// Goes on as far as the inputs allow. Asked again after it decided, it says the same.
    public func step(_ progress: inout AuthorizationProgress, _ inputs: AuthorizationInputs) -> AuthorizationVerdict {
        while progress.next < rules.count {
            let index = progress.next
            switch (rules[index].match(inputs), rules[index].action) {
            case (.waits, _): return .undecided
            case (.yes, .allow): return .allow(rule: index)
            case (.yes, .deny): return .deny(rule: index)
            case (.yes, .audit): progress.audits |= 1 << UInt64(index)
            case (.no, _): break
            }
            progress.next = index + 1
        }
        return allowsByDefault ? .allow(rule: nil) : .deny(rule: nil)
    }

    /// The verdict on a connection of which everything is known, as for sessions that exist when rules change; nothing is
    /// audited. What is still unknown counts as absent.
    public func verdict(_ inputs: AuthorizationInputs) -> AuthorizationVerdict {
        var inputs = inputs
        if inputs.client == .unknown { inputs.client = .absent }
        if inputs.peer == .unknown { inputs.peer = .absent }
        if inputs.serverName == .unknown { inputs.serverName = .absent }
        if inputs.identity == .unknown { inputs.identity = .absent }
        var progress = AuthorizationProgress()
        return step(&progress, inputs)
    }
}

/// One rule, its lists as tables.
private struct CompiledRule: Sendable {
    enum Match { case yes, no, waits }

    let action: Authorization.Action
    /// Some list of it has no entry.
    private let matchesNobody: Bool
    private let clients: [CIDRSet]?
    private let peers: CIDRSet?
    private let serverNames: ServerNameTable?
    private let certificate: CertificateRule?

    init(_ rule: Authorization.Rule) {
        let principal = rule.principal
        action = rule.action
        clients = principal.clients?.filter { !$0.isEmpty }
        peers = principal.peers
        serverNames = principal.serverNames.map { ServerNameTable($0.map { ($0, 0) }, fallback: nil) }
        certificate = principal.certificate.map { CertificateRule($0) }
        matchesNobody =
            clients?.isEmpty == true || peers?.isEmpty == true || serverNames?.count == 0
            || certificate?.matchesNobody == true
    }

    private static func any(of sets: [CIDRSet], contains address: IPAddress) -> Bool {
        for index in sets.indices where sets[index].contains(address) { return true }
        return false
    }

    func match(_ inputs: AuthorizationInputs) -> Match {
        if matchesNobody { return .no }
        var waits = false
        if let peers {
            switch inputs.peer {
            case .known(let address): guard peers.contains(address) else { return .no }
            case .absent: return .no
            case .unknown: waits = true
            }
        }
        if let clients {
            switch inputs.client {
            case .known(let address): guard CompiledRule.any(of: clients, contains: address) else { return .no }
            case .absent: return .no
            case .unknown: waits = true
            }
        }
        if let serverNames {
            switch inputs.serverName {
            case .known(let name): guard serverNames.lookup(name) != nil else { return .no }
            case .absent: return .no
            case .unknown: waits = true
            }
        }
        if let certificate {
            switch inputs.identity {
            case .known(let identity): guard certificate.matches(identity) else { return .no }
            case .absent: return .no
            case .unknown: waits = true
            }
        }
        return waits ? .waits : .yes
    }
}
