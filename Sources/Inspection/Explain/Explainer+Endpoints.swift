internal import EngineModel
internal import KubernetesAPI
internal import Primitives
internal import Translation

extension Explainer {
    /// How many endpoints of a backend are told one by one.
    private static let mostEndpoints = 20

    func health(_ id: BackendID) -> BackendHealthReport? {
        var id = id
        id.variant = ""
        return inspected.health[id]
    }

    /// Why a backend has endpoints and none that can be used; nil: it has.
    func standing(_ backend: BackendConfiguration) -> String? {
        let checking = backend.settings.health
        guard checking.active != nil || checking.passive != nil, let report = health(backend.id),
            !report.endpoints.isEmpty
        else { return nil }
        let usable = report.endpoints.filter { endpoint in
            switch endpoint.state {
            case .healthy: true
            case .unhealthy, .ejected: false
            case .unchecked: checking.active == nil || checking.active?.startsHealthy == true
            }
        }
        guard usable.isEmpty, checking.panicThreshold == 0 else { return nil }
        let failures = Set(report.endpoints.compactMap { $0.lastCheck?.failure }).sorted()
        let count = report.endpoints.count
        return (count == 1 ? "its only endpoint does not pass" : "none of \(count) passes")
            + (failures.isEmpty ? "" : ": \(failures.prefix(3).joined(separator: "; "))")
    }

    func endpointLinks(_ backend: BackendConfiguration) -> [Link] {
        let reports = Dictionary((health(backend.id)?.endpoints ?? []).map { ($0.address, $0) }) { first, _ in first }
        let isDown = standing(backend) != nil
        var links: [Link] = []
        // Those behind a name are known by their addresses.
        let named = backend.endpoints.contains { $0.address.isName }
        let addresses = named && !reports.isEmpty ? reports.keys.sorted() : backend.endpoints.map(\.address.description)
        var good = 0
        for address in addresses {
            let link = endpoint(address, reports[address], backend, isDown)
            if link.verdict == .good { good += 1 }
            if links.count < Explainer.mostEndpoints || link.verdict != .good { links.append(link) }
        }
        if addresses.count > links.count {
            links.append(
                Link(
                    .good, object: "\(backend.id)",
                    message: "and \(addresses.count - links.count) more that are as they should be",
                    depth: 4))
        }
        return links
    }

    private func endpoint(
        _ address: String, _ report: EndpointHealthReport?, _ backend: BackendConfiguration, _ isDown: Bool
    ) -> Link {
        let title = "endpoint \(address)"
        let isChecked = backend.settings.health.active != nil
        switch report?.state {
        case .unhealthy:
            let failure = report?.lastCheck?.failure.map { "the health check fails: \($0)" } ?? "is unhealthy"
            return Link(
                isDown ? .broken : .warning, object: title, cause: CloseReason.noHealthyEndpoint.rawValue,
                message: failure, advice: Cause.of(.noHealthyEndpoint)?.advice, depth: 4)
        case .ejected:
            return Link(
                isDown ? .broken : .warning, object: title, cause: CloseReason.noHealthyEndpoint.rawValue,
                message: "is left out for a while, because connections to it failed",
                advice: Cause.of(.noHealthyEndpoint)?.advice, depth: 4)
        case .unchecked where isChecked, nil where isChecked:
            return Link(.good, object: title, message: "no health check has ended yet", depth: 4)
        case .healthy where isChecked: return Link(.good, object: title, message: "healthy", depth: 4)
        default: return Link(.good, object: title, message: "ready, nothing checks it", depth: 4)
        }
    }

    /// The nearest of some objects; nil: none is near.
    func near(_ key: ObjectKey, among keys: [ObjectKey]) -> ObjectKey? {
        let names = keys.filter { $0.namespace == key.namespace }.map(\.name).sorted()
        if let name = nearestMatch(to: key.name, among: names) {
            return ObjectKey(namespace: key.namespace, name: name)
        }
        return keys.sorted().first { $0.name == key.name }
    }
}
