internal import COpenSSL
internal import Platform

/// TLS sessions that backends granted, for later connections to resume. They belong to one client context and are offered
/// by no other: what was verified when they were made, the chain by these CAs, this name, with this certificate of ours,
/// is what the context demands. A configuration that demands something else has a context, and so a store, of its own.
final class BackendSessions: Sendable {
    private struct Places: @unchecked Sendable {
        // Sendable because these are copies that no connection uses: they are read and replaced under the lock.
        var sessions: [OpaquePointer?] = Array(repeating: nil, count: BackendSessions.count)
    }
    private let places = Locked(Places())

    /// Endpoints are strewn over so many places, the newest session stays in each. Two that meet cost each other the
    /// resumption: a backend takes no ticket that it did not write, and shakes hands in full.
    private static let count = 64
    /// Seconds; a backend may grant less.
    private static let lifetime = 3600

    deinit {
        places.withLock { places in
            for session in places.sessions { SSL_SESSION_free(session) }
        }
    }

    /// Takes the sessions of all connections that are made from `context`, which must not outlive this while it reads.
    func collect(from context: OpaquePointer) {
        sluice_context_hand_over_sessions(context)
        sluice_context_set_owner(context, Unmanaged.passUnretained(self).toOpaque())
        SSL_CTX_sess_set_new_cb(context) { ssl, session in
            guard let ssl, let session, let owner = sluice_owner_of_context(ssl) else { return 0 }
            Unmanaged<BackendSessions>.fromOpaque(owner).takeUnretainedValue().keep(session, at: sluice_number(ssl))
            return 0
        }
    }

    /// A copy, because the connection goes on with its own.
    private func keep(_ session: OpaquePointer, at place: Int) {
        guard let copy = SSL_SESSION_dup(session) else { return ERR_clear_error() }
        replace(at: place, with: copy)
    }

    /// Remembers where the connection leads to, and offers it what was granted there.
    func offer(on ssl: OpaquePointer, to endpoint: StreamAddress) {
        let place = BackendSessions.place(of: endpoint)
        sluice_set_number(ssl, place)
        let session = places.withLock { places -> OpaquePointer? in
            guard let kept = places.sessions[place], sluice_session_is_fresh(kept, BackendSessions.lifetime) == 1 else {
                return nil
            }
            return SSL_SESSION_dup(kept)
        }
        guard let session else { return }
        if SSL_set_session(ssl, session) != 1 { ERR_clear_error() }
        SSL_SESSION_free(session)
    }

    func forget(_ endpoint: StreamAddress) { replace(at: BackendSessions.place(of: endpoint), with: nil) }

    private func replace(at place: Int, with session: OpaquePointer?) {
        let old = places.withLock { places in
            defer { places.sessions[place] = session }
            return places.sessions[place]
        }
        SSL_SESSION_free(old)
    }

    private static func place(of endpoint: StreamAddress) -> Int {
        Int(UInt(bitPattern: endpoint.hashValue) % UInt(count))
    }
}
