internal import EngineModel
internal import Observability
internal import Platform
internal import Primitives

// What a backend's endpoints are once its names have been turned into addresses.

extension TableCompiler {
    func resolve(_ backend: BackendConfiguration, names: NameAnswers) -> ResolvedEndpoints {
        var collection = EndpointCollection(backend, names)
        for endpoint in backend.endpoints { collection.add(endpoint) }
        return collection.resolved { address in
            endpointStates.state(EndpointKey(backend: backend.id, address: address)) { EndpointState(address: address) }
        }
    }

    /// Says what of a backend's addresses is not used, where that is not what it was before.
    func report(_ backend: BackendConfiguration, _ resolved: ResolvedEndpoints, before: ResolvedEndpoints?) {
        if !resolved.refused.isEmpty, before?.refused != resolved.refused {
            logger.warning(
                resolved.endpoints.isEmpty
                    ? "backend cannot be reached: its name leads only to addresses that are refused"
                    : "addresses of a backend's name are refused and left out",
                ["backend": "\(backend.id)", "problem": "\(resolved.refused.joined(separator: ", "))"])
        }
        if resolved.leftOut > 0, before?.leftOut != resolved.leftOut {
            logger.warning(
                "SRV records of a backend lead to more addresses than are used",
                [
                    "backend": "\(backend.id)", "used": LogValue(EndpointCollection.mostOfServices),
                    "leftOut": LogValue(resolved.leftOut),
                ])
        }
    }

    /// What is known of the names of backends, whose variants count as one.
    var nameStates: (resolved: Set<BackendID>, unresolved: [BackendID: String]) {
        var unresolved: [BackendID: String] = [:]
        var pending: Set<BackendID> = []
        var all: Set<BackendID> = []
        for (id, state) in namesOfBackends {
            all.insert(id.withoutVariant)
            switch state {
            case .pending: pending.insert(id.withoutVariant)
            case .resolved: break
            case .unresolved(let sentence):
                // Variants may have different ones: always the same is said, or the status would be written again and again.
                let others = unresolved[id.withoutVariant]
                unresolved[id.withoutVariant] = others.map { min($0, sentence) } ?? sentence
            }
        }
        return (all.subtracting(pending).filter { unresolved[$0] == nil }, unresolved)
    }
}

/// What is known of all names of a backend.
enum NamesOfBackend: Sendable {
    case pending
    case resolved
    /// At least one has no address that could be used: the sentence says which, and why.
    case unresolved(String)

    init(_ resolved: ResolvedEndpoints) {
        if !resolved.problems.isEmpty {
            self = .unresolved(resolved.problems.joined(separator: "; "))
        } else {
            self = resolved.isPending ? .pending : .resolved
        }
    }
}

extension BackendConfiguration {
    /// The names that its endpoints stand for.
    var names: Set<NameKey> {
        var keys: Set<NameKey> = []
        for endpoint in endpoints {
            switch endpoint.address {
            case .ip, .unix: break
            case .name(let name, _): keys.insert(NameKey(name: name, settings: settings))
            case .records(let name): keys.insert(NameKey(name: name, settings: settings, wantsServices: true))
            }
        }
        return keys
    }
}
