internal import COpenSSL
internal import Certificates
internal import EngineModel
internal import Platform
internal import Primitives

/// What all contexts of one terminating listener have in common.
struct TLSServerSetup {
    let termination: TLSTermination
    let session: [UInt8]
    let tickets: TicketKeyStore
    let trust: PeerTrust?
    let requirements: ClientRequirements?
    /// When the first of the lists runs out that clients are held against, in seconds since 1970.
    let listsEnd: Int64?

    init(_ termination: TLSTermination, _ listener: ListenerID, _ tickets: TicketKeyStore) throws(TLSSetupError) {
        try requireKnown(
            ciphers: termination.ciphers, groups: termination.groups,
            signatureAlgorithms: termination.signatureAlgorithms)
        let validation = termination.clientValidation
        if let validation {
            let trust = try PeerTrust(validation.trust)
            requirements = try ClientRequirements(validation, authorities: trust.authorities)
            self.trust = trust
        } else {
            (trust, requirements) = (nil, nil)
        }
        listsEnd = validation?.requirements.flatMap(\.revocationLists).compactMap(\.nextUpdate).min()
        self.termination = termination
        self.tickets = tickets
        session = sessionContext(of: listener, validation)
    }
}

/// One context of a terminating listener, with what its callbacks reach; outlives every connection made from it.
final class TLSServerContext: @unchecked Sendable {
    // Sendable because everything in it is set up in init only.
    let context: TLSContext
    private let requirements: ClientRequirements?
    /// Nil: no session resumes.
    private let sealer: TicketSealer?
    private let listsEnd: UnsafeMutablePointer<Int64>?

    init(_ setup: TLSServerSetup, _ certificates: [KeyPairFacts]) throws(TLSSetupError) {
        let termination = setup.termination
        guard let raw = sluice_server_context() else { throw TLSSetupError("no TLS context") }
        let context = TLSContext(owning: raw)
        sluice_context_set_relay_mode(raw)
        sluice_context_read_ahead(raw)
        sluice_context_prefer_server_ciphers(raw)
        sluice_context_disable_session_cache(raw)
        sluice_context_select_alpn_per_connection(raw, termination.alpnRequired ? 1 : 0)
        sluice_context_observe(raw)
        try TLSServerContext.setParameters(of: raw, termination)
        if let trust = setup.trust, let validation = termination.clientValidation {
            try trust.install(in: raw, mode: validation.mode)
            setup.requirements?.install(in: raw)
        }
        for certificate in certificates { try TLSServerContexts.install(certificate, in: raw) }
        sealer = try TLSServerContext.setTickets(of: raw, setup, certificates)
        (self.context, requirements) = (context, setup.requirements)
        listsEnd = setup.listsEnd.map { end in
            let place = UnsafeMutablePointer<Int64>.allocate(capacity: 1)
            place.initialize(to: end)
            return place
        }
        if sealer != nil { sluice_context_judge_tickets(raw, listsEnd) }
    }

    deinit { listsEnd?.deallocate() }

    private static func setParameters(
        of context: OpaquePointer, _ termination: TLSTermination
    ) throws(TLSSetupError) {
        let (minimum, maximum) = (termination.minimumVersion, termination.maximumVersion)
        guard sluice_context_set_versions(context, minimum.openSSLNumber, maximum.openSSLNumber) == 1 else {
            throw TLSSetupError("TLS versions")
        }
        try TLSDefaults.apply(to: context)
        if let ciphers = termination.ciphers, minimum < .v13 { try setCiphers(of: context, ciphers) }
        if let groups = termination.groups { try setGroups(of: context, groups) }
        if let algorithms = termination.signatureAlgorithms { try setSignatureAlgorithms(of: context, algorithms) }
    }

    /// Sessions are tickets: none is kept here, none carries early data, and without a lifetime none is given out.
    private static func setTickets(
        of context: OpaquePointer, _ setup: TLSServerSetup, _ certificates: [KeyPairFacts]
    ) throws(TLSSetupError) -> TicketSealer? {
        let session = setup.session
        guard SSL_CTX_set_session_id_context(context, session, UInt32(session.count)) == 1 else {
            throw TLSSetupError("session context")
        }
        guard let lifetime = setup.termination.ticketLifetime else {
            sluice_context_disable_tickets(context)
            return nil
        }
        let sealer = TicketSealer(
            store: setup.tickets, lifetime: lifetime,
            purpose: ticketPurpose(
                session, certificates, ciphers: setup.termination.ciphers, lifetime: lifetime))
        guard sealer.install(in: context) else { throw TLSSetupError("session tickets") }
        // One ticket instead of two saves 5 % of a full handshake.
        SSL_CTX_set_num_tickets(context, 1)
        sluice_context_set_session_seconds(context, Int(max(1, (lifetime.wholeMilliseconds + 999) / 1000)))
        return sealer
    }
}
