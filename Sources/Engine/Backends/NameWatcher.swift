internal import EngineModel
internal import Platform
internal import Resolver

/// The names of the current configuration, and the targets of their SRV records, watched through the resolver.
final class NameWatcher: Sendable {
    private struct State {
        /// The names of the configuration, with the backends they are for.
        var configured: [NameKey: Set<BackendID>] = [:]
        /// And those that their SRV records lead to.
        var wanted: [NameKey: Set<BackendID>] = [:]
        var tokens: [NameKey: WatchToken] = [:]
        var answers = NameAnswers()
        /// New SRV records, until something is known of each target: traffic stays where it is for so long.
        var awaited: [NameKey: [ServiceRecord]] = [:]
        var histories: [NameKey: NameHistory] = [:]
        var counts: [BackendID: LookupCounts] = [:]

        var namesWithTargets: [NameKey: Set<BackendID>] {
            var all = configured
            for (key, users) in configured where key.wantsServices {
                var records = awaited[key] ?? []
                if case .services(let used) = answers.answer(key) { records += used }
                for record in records { all[key.target(record.target), default: []].formUnion(users) }
            }
            return all
        }
    }
    private let resolver: Resolver
    private let state = Locked(State())
    private let onChange: @Sendable () -> Void

    init(resolver: Resolver, onChange: @escaping @Sendable () -> Void) {
        self.resolver = resolver
        self.onChange = onChange
    }

    var answers: NameAnswers { state.withLock { $0.answers } }

    /// Watches exactly these names from now on, with those that their SRV records lead to; answers of names that stay are
    /// kept. `users`: the backends, without variant, of each name.
    func watch(_ users: [NameKey: Set<BackendID>]) {
        state.withLock { state in
            state.configured = users
            adjust(&state)
            let backends = users.values.reduce(into: Set<BackendID>()) { $0.formUnion($1) }
            state.counts = state.counts.filter { backends.contains($0.key) }
            for backend in backends where state.counts[backend] == nil { state.counts[backend] = LookupCounts() }
        }
    }

    /// What was looked up for each backend.
    var counts: [BackendID: LookupCounts] {
        state.withLock { state in
            var counts = state.counts
            for (key, users) in state.wanted {
                guard let history = state.histories[key] else { continue }
                for user in users { counts[user]?.add(history) }
            }
            return counts
        }
    }

    /// Asks for what is wanted and not watched yet, and lets go of what is wanted no more.
    private func adjust(_ state: inout State) {
        let wanted = state.namesWithTargets
        state.wanted = wanted
        for key in state.tokens.keys where wanted[key] == nil {
            state.tokens[key] = nil
            (state.answers.answers[key], state.awaited[key], state.histories[key]) = (nil, nil, nil)
        }
        for key in wanted.keys where state.tokens[key] == nil { state.tokens[key] = watch(key) }
    }

    private func watch(_ key: NameKey) -> WatchToken {
        let onLookup: @Sendable (LookupResult) -> Void = { [weak self] in self?.count($0, for: key) }
        let onChange: @Sendable (ResolvedName) -> Void = { [weak self] in self?.note($0, for: key) }
        if key.wantsServices {
            return resolver.watchServices(
                key.name, refresh: key.refresh, respectsTTL: key.respectsTTL, onLookup: onLookup, onChange: onChange)
        }
        return resolver.watch(
            key.name, family: key.family.preference, refresh: key.refresh, respectsTTL: key.respectsTTL,
            onLookup: onLookup, onChange: onChange)
    }

    private func count(_ result: LookupResult, for key: NameKey) {
        let now = realtimeNanoseconds()
        state.withLock { state in
            guard state.tokens[key] != nil else { return }
            state.histories[key, default: NameHistory()].note(result, at: now)
            for user in state.wanted[key] ?? [] { state.counts[user]?.results[result, default: 0] += 1 }
        }
    }

    private func note(_ resolved: ResolvedName, for key: NameKey) {
        let changed = state.withLock { state in
            // A callback that had begun before its watch was cancelled has nothing to say any more.
            guard state.tokens[key] != nil else { return false }
            let before = state.answers.answers
            if key.wantsServices {
                noteServices(resolved, for: key, &state)
            } else if !resolved.addresses.isEmpty {
                state.answers.answers[key] = .addresses(resolved.addresses)
            } else {
                state.answers.answers[key] = resolved.error.map { .failed($0) }
            }
            takeAwaited(&state)
            return state.answers.answers != before
        }
        if changed { onChange() }
    }

    private func noteServices(_ resolved: ResolvedName, for key: NameKey, _ state: inout State) {
        if resolved.state == .never {
            state.answers.answers[key] = resolved.error.map { .failed($0) }
        } else if state.answers.answers[key] == .services(resolved.services) {
            state.awaited[key] = nil
            adjust(&state)
        } else {
            state.awaited[key] = resolved.services
            adjust(&state)
        }
    }

    /// Uses new SRV records once every target has an answer: unless none has an address and those before are there.
    private func takeAwaited(_ state: inout State) {
        var isTaken = false
        for (key, records) in state.awaited {
            let answers = records.map { state.answers.answer(key.target($0.target)) }
            guard !answers.contains(.pending) else { continue }
            let isUseful = records.isEmpty || answers.contains { if case .addresses = $0 { true } else { false } }
            if case .services = state.answers.answer(key), !isUseful { continue }
            state.answers.answers[key] = .services(records)
            state.awaited[key] = nil
            isTaken = true
        }
        if isTaken { adjust(&state) }
    }
}
