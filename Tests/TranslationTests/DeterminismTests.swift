import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// The same snapshot gives the same bytes, and what the engine may rely on holds for any input.
@Suite("Determinism")
struct DeterminismTests {
    @Test("the order in which objects entered the snapshot plays no part", arguments: try GoldenCase.all())
    func orderOfInsertion(golden: GoldenCase) throws {
        let input = try GoldenInput(parsing: try golden.read("in.yaml"), file: golden.name)
        let result = translate(input.snapshot, options: input.options)
        let text = try goldenText(result, result.statuses)
        for capacity in [0, 64, 1000] {
            let again = translate(input.snapshot.rebuilt(capacity: capacity), options: input.options)
            #expect(again == result)
            #expect(try goldenText(again, again.statuses) == text)
        }
    }

    @Test("what the engine relies on holds for random clusters", arguments: 0..<20)
    func invariants(seed: UInt64) {
        let snapshot = RandomCluster(seed: seed).snapshot()
        var options = TranslationOptions()
        options.standalone = true
        let result = translate(snapshot, options: options)
        let listeners = result.configuration.listeners
        #expect(listeners.map(\.id) == listeners.map(\.id).sorted())
        #expect(Set(listeners.map(\.id)).count == listeners.count)
        #expect(Set(listeners.map(\.id)) == Set(result.statuses.bindings.keys))
        let backends = result.configuration.backends
        #expect(backends.map(\.id) == backends.map(\.id).sorted())
        #expect(Set(backends.map(\.id)).count == backends.count)
        #expect(Set(backends.map(\.id)) == Set(listeners.flatMap(\.routes).flatMap(\.usedBackends)))
        for backend in backends { #expect(backend.endpoints == backend.endpoints.sorted()) }
        for listener in listeners {
            #expect(!listener.bindings.isEmpty)
            guard case .tls(let tls) = listener.traffic else { continue }
            #expect(Set(tls.routes.map(\.hostname)).count == tls.routes.count)
        }
        checkSharing(listeners)
        checkCounts(result.statuses)
        #expect(translate(snapshot.rebuilt(capacity: 500), options: options) == result)
    }

    /// Sockets are shared only by TLS listeners of one gateway with different host names.
    private func checkSharing(_ listeners: [ListenerConfiguration]) {
        var onBinding: [Binding: [ListenerConfiguration]] = [:]
        for listener in listeners {
            for binding in listener.bindings { onBinding[binding, default: []].append(listener) }
        }
        for sharing in onBinding.values where sharing.count > 1 {
            #expect(Set(sharing.map { "\($0.id.gatewayNamespace)/\($0.id.gateway)" }).count == 1)
            let hostnames = sharing.compactMap { listener -> HostnamePattern?? in
                guard case .tls(let tls) = listener.traffic else { return nil }
                return .some(tls.hostname)
            }
            #expect(hostnames.count == sharing.count && Set(hostnames).count == sharing.count)
        }
    }

    /// attachedRoutes adds up to at least one per accepted parent, and to nothing where no parent is accepted.
    private func checkCounts(_ report: StatusReport) {
        let parents = report.tcpRoutes.values.flatMap(\.parents) + report.tlsRoutes.values.flatMap(\.parents)
        let accepted = parents.count { $0.conditions.contains { $0.type == .accepted && $0.status == .true } }
        let listeners = report.gateways.values.flatMap(\.listeners) + report.listenerSets.values.flatMap(\.listeners)
        let attached = listeners.map(\.attachedRoutes).reduce(0, +)
        #expect(attached >= accepted || accepted == 0)
        #expect((attached == 0) == (accepted == 0))
        for parent in parents {
            #expect(Set(parent.conditions.map(\.type)).count == parent.conditions.count)
        }
    }
}

extension ListenerConfiguration {
    var routes: [RouteConfiguration] {
        switch traffic {
        case .tcp(let route): [route].compactMap { $0 }
        case .tls(let tls): tls.routes.map(\.route) + [tls.fallback].compactMap { $0 }
        }
    }
}

extension RouteConfiguration {
    var usedBackends: [BackendID] {
        backends.compactMap {
            if case .backend(let id) = $0.target { id } else { nil }
        }
    }
}

extension ClusterSnapshot {
    /// Equal to self, with dictionaries filled in another order.
    func rebuilt(capacity: Int) -> ClusterSnapshot {
        func again<Value>(_ table: [ObjectKey: Value]) -> [ObjectKey: Value] {
            var copy: [ObjectKey: Value] = [:]
            copy.reserveCapacity(capacity)
            for (key, value) in table.sorted(by: { $0.key > $1.key }) { copy[key] = value }
            return copy
        }
        var copy = ClusterSnapshot(asOf: asOf)
        copy.gatewayClasses = again(gatewayClasses)
        copy.gateways = again(gateways)
        copy.listenerSets = again(listenerSets)
        copy.scope = scope
        copy.patternProblems = patternProblems
        copy.gatewayAPIBundle = gatewayAPIBundle
        copy.tcpRoutes = again(tcpRoutes)
        copy.tlsRoutes = again(tlsRoutes)
        copy.referenceGrants = again(referenceGrants)
        copy.backendTLSPolicies = again(backendTLSPolicies)
        copy.backends = again(backends)
        copy.gatewayParameters = again(gatewayParameters)
        copy.clientPolicies = again(clientPolicies)
        copy.backendPolicies = again(backendPolicies)
        copy.nodes = again(nodes)
        copy.services = again(services)
        copy.endpointSlices = again(endpointSlices)
        copy.namespaces = again(namespaces)
        copy.secrets = again(secrets)
        copy.configMaps = again(configMaps)
        return copy
    }
}
