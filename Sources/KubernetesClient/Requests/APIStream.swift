internal import HTTPClient
internal import Platform

/// A watch: begins when there are credentials, counts its answer, and tells of credentials that the server refuses.
final class APIStream: HTTPStream {
    private struct State {
        var inner: (any HTTPStream)?
        var generation: UInt64 = 0
        var isCancelled = false
        /// It failed before there was a stream.
        var failure: TransportError?
        var isCounted = false
    }

    private let state = Locked(State())
    private let request: APIRequest
    private let counts: RequestCounts
    private let credentials: CredentialStore
    private let onActivity: @Sendable () -> Void

    init(
        _ request: APIRequest, _ counts: RequestCounts, _ credentials: CredentialStore,
        _ onActivity: @escaping @Sendable () -> Void
    ) {
        (self.request, self.counts, self.credentials, self.onActivity) = (request, counts, credentials, onActivity)
    }

    func begin(generation: UInt64, _ open: () -> any HTTPStream) {
        guard !state.withLock({ $0.isCancelled }) else { return }
        let inner = open()
        let isCancelled = state.withLock { state in
            (state.inner, state.generation) = (inner, generation)
            return state.isCancelled
        }
        if isCancelled { inner.cancel() }
        // What it has told of before it was here was not there to be taken.
        onActivity()
    }

    func fail(_ error: APIError) {
        state.withLock { state in
            if state.failure == nil { state.failure = TransportError(.other, error.description) }
        }
        onActivity()
    }

    func take() -> HTTPStreamPart {
        let (part, status, generation) = state.withLock { state -> (HTTPStreamPart, Int??, UInt64) in
            var part = state.inner?.take() ?? HTTPStreamPart()
            if let failure = state.failure { part.end = .failed(failure) }
            guard !state.isCounted, part.head != nil || part.end != nil else { return (part, nil, 0) }
            state.isCounted = true
            return (part, .some(part.head?.status), state.generation)
        }
        if case .some(let status) = status {
            counts.add(verb: request.verb, resource: request.resource, status: status)
            // The next request has a look at the files, or runs the plugin.
            if status == 401 { credentials.refreshed(after: generation, isUnauthorized: true) { _ in } }
            if case .failed(let error)? = part.end, error.kind == .tls {
                credentials.refreshed(after: generation, isUnauthorized: false) { _ in }
            }
        }
        return part
    }

    func cancel() {
        let inner = state.withLock { state in
            state.isCancelled = true
            if state.inner == nil, state.failure == nil {
                state.failure = TransportError(.cancelled, "the request was cancelled")
            }
            return state.inner
        }
        inner?.cancel()
    }

    deinit { cancel() }
}
