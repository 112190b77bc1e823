internal import COpenSSL
internal import Platform

/// TLS sessions that backends granted, for later connections to resume. They belong to one client context and are offered
/// by no other: what was verified when they were made, the chain by these CAs, this name, with this certificate of ours,
/// is what the context demands. A configuration that demands something else has a context, and so a store, of its own.
final class BackendSessions: Sendable {
    private struct Place {
        /// Whose it is: ``number(of:_:)``.
        var number = 0
        var session: OpaquePointer?
        /// Until then nothing is kept for it.
        var barredUntil = MonotonicTime(nanoseconds: 0)
    }
    private struct Places: @unchecked Sendable {
        // Sendable because these are copies that no connection uses: they are read and replaced under the lock.
        var all = Array(repeating: Place(), count: BackendSessions.count)
    }
    private let places = Locked(Places())

    /// Endpoints are strewn over so many places, the newest session stays in each. Two that meet cost each other the
    /// resumption.
    private static let count = 64
    /// Seconds; a backend may grant less.
    private static let lifetime = 3600
    /// For how long an endpoint that answered a session by failing is met with full handshakes.
    private static let bar = Duration.seconds(600)

    deinit {
        places.withLock { places in
            for place in places.all { SSL_SESSION_free(place.session) }
        }
    }

    /// Takes the sessions of all connections that are made from `context`, which must not outlive this while it reads.
    func collect(from context: OpaquePointer) {
        sluice_context_hand_over_sessions(context)
        sluice_context_set_owner(context, Unmanaged.passUnretained(self).toOpaque())
        SSL_CTX_sess_set_new_cb(context) { ssl, session in
            guard let ssl, let session, let owner = sluice_owner_of_context(ssl) else { return 0 }
            Unmanaged<BackendSessions>.fromOpaque(owner).takeUnretainedValue().keep(session, for: sluice_number(ssl))
            return 0
        }
    }

    /// A copy, because the connection goes on with its own.
    private func keep(_ session: OpaquePointer, for number: Int) {
        guard let copy = SSL_SESSION_dup(session) else { return ERR_clear_error() }
        replace(with: Place(number: number & ~1, session: copy))
    }

    /// Remembers where the connection leads to, and where it `resumes` offers it what was granted there. A `name` that is the
    /// connection's own, and not the context's, makes the endpoint another one.
    func prepare(_ ssl: OpaquePointer, for endpoint: StreamAddress, name: String?, resumes: Bool) {
        let number = BackendSessions.number(of: endpoint, name)
        sluice_set_number(ssl, number)
        guard resumes else { return }
        let session = places.withLock { places -> OpaquePointer? in
            let place = places.all[BackendSessions.index(of: number)]
            guard place.number == number, let kept = place.session,
                sluice_session_is_fresh(kept, BackendSessions.lifetime) == 1
            else { return nil }
            return SSL_SESSION_dup(kept)
        }
        guard let session else { return }
        if SSL_set_session(ssl, session) == 1 { sluice_set_number(ssl, number | 1) } else { ERR_clear_error() }
        SSL_SESSION_free(session)
    }

    /// The handshake failed: what its endpoint granted is dropped. True where it had been offered, and so may be why: there
    /// are servers that answer every session with an alert. Nothing is offered to this one for a while.
    func drop(for ssl: OpaquePointer) -> Bool {
        let number = sluice_number(ssl)
        let wasOffered = number & 1 == 1
        var place = Place(number: number & ~1)
        if wasOffered { place.barredUntil = .now() + BackendSessions.bar }
        replace(with: place)
        return wasOffered
    }

    private func replace(with place: Place) {
        let unused = places.withLock { places -> OpaquePointer? in
            var place = place
            let (index, now) = (BackendSessions.index(of: place.number), MonotonicTime.now())
            let old = places.all[index]
            if old.number == place.number { place.barredUntil = max(place.barredUntil, old.barredUntil) }
            guard place.session == nil || place.barredUntil <= now else { return place.session }
            places.all[index] = place
            return old.session
        }
        SSL_SESSION_free(unused)
    }

    /// What a connection carries of its endpoint; the lowest bit says whether it was offered a session.
    private static func number(of endpoint: StreamAddress, _ name: String?) -> Int {
        guard let name else { return endpoint.hashValue & ~1 }
        var hasher = Hasher()
        hasher.combine(endpoint)
        hasher.combine(name)
        return hasher.finalize() & ~1
    }

    private static func index(of number: Int) -> Int { Int(UInt(bitPattern: number >> 1) % UInt(count)) }
}
