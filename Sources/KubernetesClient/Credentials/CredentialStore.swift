internal import FoundationEssentials
internal import HTTPClient
internal import Observability
internal import Platform

/// Keeps what requests are authenticated with up to date: files that rotate are read again, plugins run again. Safe to use
/// from any thread; a plugin runs on a thread of its own, `credentials`.
final class CredentialStore: Sendable {
    typealias Completion = @Sendable (Result<Credentials, APIError>) -> Void

    /// Files are looked at once in so long.
    private static let lookInterval = Duration.seconds(1)
    private static let longestPause = Duration.seconds(60)

    private struct State {
        var files: [String: WatchedFile] = [:]
        /// Those that can no longer be read, and were told of.
        var unreadable: Set<String> = []
        var generation: UInt64 = 0
        var nextLook: MonotonicTime?
        var plugin: PluginCredentials?
        var lastRun: MonotonicTime?
        var failure: APIError?
        var pause: Duration
        var waiting: [Completion] = []
        var isRunning = false
    }

    private let configuration: ClientConfiguration
    private let logger: Logger
    private let runner: PluginRunner?
    /// Between two runs of the plugin at least; doubled while it fails.
    private let shortestPause: Duration
    private let state: Locked<State>

    init(_ configuration: ClientConfiguration, _ logger: Logger, pluginTimeout: Duration, pluginPause: Duration) {
        (self.configuration, self.logger, shortestPause) = (configuration, logger, pluginPause)
        if case .exec(let plugin) = configuration.credentials {
            runner = PluginRunner(plugin, timeout: pluginTimeout)
        } else {
            runner = nil
        }
        var initial = State(pause: pluginPause)
        for path in configuration.watchedPaths { initial.files[path] = WatchedFile(path) }
        state = Locked(initial)
    }

    /// Calls back with what holds now: in place, or where a plugin has to run, from its thread.
    func current(_ completion: @escaping Completion) { provide(mustRun: { _ in false }, completion) }

    /// The server refused what `generation` said (401), or could not be verified by it: looks again at once. The result
    /// may be what it was.
    func refreshed(after generation: UInt64, isUnauthorized: Bool, _ completion: @escaping Completion) {
        state.withLock { $0.nextLook = nil }
        provide(
            // Others of the same generation may have asked before.
            mustRun: { isUnauthorized && $0.generation == generation }, completion)
    }

    private enum Step {
        case answer(Result<Credentials, APIError>)
        case run
        case wait
    }

    private func provide(mustRun: (borrowing State) -> Bool, _ completion: @escaping Completion) {
        let now = MonotonicTime.now()
        let step = state.withLock { state -> Step in
            if let failure = lookAtFiles(&state, now) { return .answer(.failure(failure)) }
            guard runner != nil else { return .answer(.success(made(from: state))) }
            if state.isRunning {
                state.waiting.append(completion)
                return .wait
            }
            // What it printed just now is used, even where our clock calls it expired or the server refuses it: a run for
            // each request would help nobody.
            let ranJustNow = state.lastRun.map { now - $0 < shortestPause } ?? false
            if let plugin = state.plugin, ranJustNow || !(hasExpired(plugin) || mustRun(state)) {
                return .answer(.success(made(from: state)))
            }
            if let failure = state.failure, let last = state.lastRun, now - last < state.pause {
                return .answer(.failure(failure))
            }
            (state.isRunning, state.lastRun) = (true, now)
            state.waiting.append(completion)
            return .run
        }
        switch step {
        case .answer(let result): completion(result)
        case .run: startPlugin()
        case .wait: break
        }
    }

    private func startPlugin() {
        do throws(Errno) {
            try Thread(named: "credentials", wiping: true) { [self] in runPlugin() }.detach()
        } catch {
            finishPlugin(.failure(.credentials("no thread for the credential plugin: \(error)")))
        }
    }

    private func runPlugin() {
        guard let runner else { return }
        do throws(APIError) {
            finishPlugin(.success(try runner.run()))
        } catch {
            logger.warning("the credential plugin failed", ["error": "\(error)"])
            finishPlugin(.failure(error))
        }
    }

    private func finishPlugin(_ outcome: Result<PluginCredentials, APIError>) {
        let (waiting, result) = state.withLock { state -> ([Completion], Result<Credentials, APIError>) in
            state.isRunning = false
            defer { state.waiting = [] }
            switch outcome {
            case .success(let printed):
                if printed != state.plugin { state.generation += 1 }
                (state.plugin, state.failure, state.pause) = (printed, nil, shortestPause)
                return (state.waiting, .success(made(from: state)))
            case .failure(let error):
                if state.failure != nil { state.pause = min(state.pause * 2, CredentialStore.longestPause) }
                state.failure = error
                return (state.waiting, .failure(error))
            }
        }
        for completion in waiting { completion(result) }
    }

    /// Reads what has changed; an error only where there is no last good content.
    private func lookAtFiles(_ state: inout State, _ now: MonotonicTime) -> APIError? {
        if let next = state.nextLook, now < next { return nil }
        state.nextLook = now + CredentialStore.lookInterval
        var isChanged = state.generation == 0
        for path in configuration.watchedPaths {
            guard var file = state.files.removeValue(forKey: path) else { continue }
            defer { state.files[path] = file }
            do throws(ConfigurationError) {
                if try file.refresh() { isChanged = true }
                state.unreadable.remove(path)
            } catch {
                guard file.content != nil else {
                    state.nextLook = nil
                    return .credentials(error.description)
                }
                guard state.unreadable.insert(path).inserted else { continue }
                logger.warning("the last good content of a file is kept", ["file": "\(path)", "error": "\(error)"])
            }
        }
        if isChanged { state.generation += 1 }
        return nil
    }

    private func hasExpired(_ credentials: PluginCredentials) -> Bool {
        guard let expires = credentials.expires else { return false }
        // A little early: the request has yet to travel.
        return expires - 5 <= realtimeNanoseconds() / 1_000_000_000
    }

    // MARK: Making the value

    private func made(from state: borrowing State) -> Credentials {
        let files = state.files
        let bytes = { (source: PEMSource) -> [UInt8] in
            switch source {
            case .data(let bytes): bytes
            case .file(let path): files[path]?.content ?? []
            }
        }
        var identity = configuration.identity.map {
            HTTPClientOptions.Identity(certificate: bytes($0.certificate), privateKey: bytes($0.privateKey))
        }
        if let certificate = state.plugin?.certificate, let key = state.plugin?.privateKey {
            identity = HTTPClientOptions.Identity(certificate: certificate, privateKey: key)
        }
        let trust = configuration.authority.map { HTTPClientOptions.Trust.pem(bytes($0)) } ?? .system
        var headers = configuration.impersonation?.headers ?? []
        if let value = authorization(files, state.plugin) { headers.append(HTTPHeader("Authorization", value)) }
        return Credentials(generation: state.generation, headers: headers, trust: trust, identity: identity)
    }

    private func authorization(_ files: [String: WatchedFile], _ plugin: PluginCredentials?) -> String? {
        switch configuration.credentials {
        case .none: return nil
        case .token(let token): return "Bearer \(token.trimmed)"
        case .tokenFile(let path):
            return "Bearer " + String(decoding: files[path]?.content ?? [], as: UTF8.self).trimmed
        case .basic(let user, let password):
            return "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
        case .exec: return plugin?.token.map { "Bearer \($0)" }
        }
    }
}

extension ClientConfiguration {
    /// The files whose content requests need.
    fileprivate var watchedPaths: [String] {
        var paths = [authority?.path, identity?.certificate.path, identity?.privateKey.path].compactMap(\.self)
        if case .tokenFile(let path) = credentials { paths.append(path) }
        return paths
    }
}

extension Impersonation {
    /// The fields that kube-apiserver reads.
    fileprivate var headers: [HTTPHeader] {
        var fields = [HTTPHeader("Impersonate-User", user)]
        if let uid { fields.append(HTTPHeader("Impersonate-Uid", uid)) }
        for group in groups { fields.append(HTTPHeader("Impersonate-Group", group)) }
        for (name, values) in extra.sorted(by: { $0.key < $1.key }) {
            let escaped = percentEncoded(name, keeping: "-._~!#$&'*+^`|")
            for value in values { fields.append(HTTPHeader("Impersonate-Extra-\(escaped)", value)) }
        }
        return fields
    }
}
