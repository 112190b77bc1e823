internal import EngineModel
internal import Platform
internal import Primitives
internal import Resolver

/// One name as one kind of backend wants it resolved.
struct NameKey: Hashable, Sendable {
    var name: String
    var family: BackendSettings.DNSFamily
    var refresh: Duration

    init(name: String, settings: BackendSettings) {
        self.name = name
        family = settings.dnsFamily
        refresh = settings.dnsRefreshRate
    }
}

enum NameAnswer: Hashable, Sendable {
    case pending
    case failed
    case addresses([IPAddress])
}

/// The latest answers, as a value for the compiler.
struct NameAnswers: Sendable {
    var answers: [NameKey: NameAnswer] = [:]
    func answer(_ key: NameKey) -> NameAnswer { answers[key] ?? .pending }
}

/// The names of the current configuration, watched through the resolver.
final class NameWatcher: Sendable {
    private struct State {
        var watched: Set<NameKey> = []
        var tokens: [NameKey: WatchToken] = [:]
        var answers = NameAnswers()
    }
    private let resolver: Resolver
    private let state = Locked(State())
    private let onChange: @Sendable () -> Void

    init(resolver: Resolver, onChange: @escaping @Sendable () -> Void) {
        self.resolver = resolver
        self.onChange = onChange
    }

    var answers: NameAnswers { state.withLock { $0.answers } }

    /// Watches exactly these names from now on; answers of names that stay are kept.
    func watch(_ keys: Set<NameKey>) {
        let (added, removed) = state.withLock { state in
            state.watched = keys
            return (keys.filter { state.tokens[$0] == nil }, state.tokens.keys.filter { !keys.contains($0) })
        }
        for key in added {
            let token = resolver.watch(key.name, family: key.family.preference, refresh: key.refresh) { [weak self] in
                self?.note($0, for: key)
            }
            state.withLock { $0.tokens[key] = token }
        }
        let tokens = state.withLock { state in
            removed.compactMap { key in
                state.answers.answers[key] = nil
                return state.tokens.removeValue(forKey: key)
            }
        }
        for token in tokens { token.cancel() }
    }

    private func note(_ resolved: ResolvedName, for key: NameKey) {
        let answer: NameAnswer =
            if !resolved.addresses.isEmpty { .addresses(resolved.addresses) } else if resolved.error != nil {
                .failed
            } else { .pending }
        let changed = state.withLock { state in
            // A callback that had begun before its watch was cancelled has nothing to say any more.
            guard state.watched.contains(key), state.answers.answers[key] != answer else { return false }
            state.answers.answers[key] = answer
            return true
        }
        if changed { onChange() }
    }
}

extension BackendSettings.DNSFamily {
    var preference: AddressFamilyPreference {
        switch self {
        case .ipv4: .ipv4
        case .ipv6: .ipv6
        case .ipv4Preferred: .ipv4Preferred
        case .ipv6Preferred: .ipv6Preferred
        case .ipv4AndIPv6: .ipv4AndIPv6
        }
    }
}
