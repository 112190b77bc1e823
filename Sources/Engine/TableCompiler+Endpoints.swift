internal import EngineModel
internal import Platform
internal import Primitives

// What a backend's endpoints are once its names have been turned into addresses.

extension TableCompiler {
    func resolve(_ backend: BackendConfiguration, names: NameAnswers) -> ResolvedEndpoints {
        var resolved = ResolvedEndpoints()
        var failures = 0
        func add(_ address: StreamAddress, _ endpoint: EndpointConfiguration) {
            let key = EndpointKey(backend: backend.id, address: address)
            resolved.endpoints.append(endpointStates.state(key) { EndpointState(address: address) })
            resolved.weights.append(endpoint.weight)
            resolved.preferences.append(endpoint.preference)
            resolved.zones.append(endpoint.zone)
        }
        for endpoint in backend.endpoints {
            switch endpoint.address {
            case .ip(let address): add(.ip(address), endpoint)
            case .unix(let path): add(.unix(path: path), endpoint)
            case .name(let name, let port):
                switch names.answer(NameKey(name: name, settings: backend.settings)) {
                case .pending: resolved.isPending = true
                case .failed: failures += 1
                case .addresses(let addresses):
                    // Whoever answers for the name may say something else each time: every answer is looked at.
                    for ip in addresses {
                        if let kind = backend.settings.refusedAddresses.refusal(of: ip) {
                            resolved.refused.append("\(name) is \(ip) (\(kind))")
                        } else {
                            add(.ip(SocketAddress(ip, port)), endpoint)
                        }
                    }
                }
            case .records: failures += 1
            }
        }
        resolved.hasFailed = resolved.endpoints.isEmpty && (failures > 0 || !resolved.refused.isEmpty)
        return resolved
    }
}

extension BackendConfiguration {
    /// The names that its endpoints stand for.
    var names: Set<NameKey> {
        var keys: Set<NameKey> = []
        for endpoint in endpoints {
            if case .name(let name, _) = endpoint.address { keys.insert(NameKey(name: name, settings: settings)) }
        }
        return keys
    }
}
