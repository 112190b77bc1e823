import KubernetesAPI
import Primitives
import Testing
import Translation

/// Secrets and ConfigMaps are fetched by name: only those that are referred to, and none that the translation would ask for in
/// vain.
@Suite("Referenced objects")
struct ReferencedObjectsTests {
    private func referenced(in name: String) throws -> ReferencedObjects {
        let input = try GoldenInput(parsing: try GoldenCase(name: name).read("in.yaml"), file: name)
        var snapshot = input.snapshot
        (snapshot.secrets, snapshot.configMaps) = ([:], [:])
        return referencedObjects(snapshot, options: input.options)
    }

    private func keys(_ texts: [String]) -> Set<ObjectKey> {
        Set(
            texts.map { text in
                let halves = text.split(separator: "/")
                return ObjectKey(namespace: String(halves[0]), name: String(halves[1]))
            })
    }

    @Test(
        "every reference of an object of ours that a grant permits counts",
        arguments: [
            // Certificates of listeners, in the own namespace and, with a grant to the set or the gateway, in others.
            ("listener-set-grant", ["vault/cert", "safe/cert", "apps/mine"], []),
            ("frontend-default", ["infra/cert", "infra/ca", "apps/cert"], ["infra/ca", "vault/ca"]),
            // Of the Gateway in another namespace without a grant nothing is fetched; what does not exist is waited for.
            ("frontend-invalid", ["infra/cert"], ["infra/ca", "infra/nosuch", "infra/bad", "infra/empty"]),
            ("backend-client-certificate", ["infra/cert", "vault/cert"], []),
            ("backend-client-certificate-invalid", ["infra/nosuch", "infra/empty"], []),
        ] as [(String, [String], [String])])
    func counts(name: String, secrets: [String], configMaps: [String]) throws {
        let found = try referenced(in: name)
        #expect(found.secrets == keys(secrets))
        #expect(found.configMaps == keys(configMaps))
    }

    @Test("a ListenerSet that is not allowed, a class of others and a policy without traffic of ours count for nothing")
    func countsNot() throws {
        var snapshot = ClusterSnapshot(asOf: 0)
        let tls = Gateway.ListenerTLS(mode: "Terminate", certificateRefs: [SecretObjectReference(name: "cert")])
        let listener = Gateway.Listener(name: "tls", port: 443, protocol: .tls, tls: tls)
        add(Gateway(metadata: meta("other"), spec: .init(gatewayClassName: "other", listeners: [listener])), \.gateways)
        add(
            Gateway(
                metadata: meta("ours"),
                spec: .init(
                    gatewayClassName: "sluice", listeners: [.init(name: "tcp", port: 1, protocol: .tcp)])), \.gateways)
        add(
            ListenerSet(metadata: meta("set"), spec: .init(parentRef: .init(name: "ours"), listeners: [listener])),
            \.listenerSets)
        for (policy, target) in [("used", "db"), ("unused", "web"), ("foreign", "mail")] {
            let reference = LocalObjectReference(group: "", kind: "ConfigMap", name: policy)
            add(
                BackendTLSPolicy(
                    metadata: meta(policy),
                    spec: .init(
                        targetRefs: [.init(group: "", kind: "Service", name: target)],
                        validation: .init(caCertificateRefs: [reference], hostname: "a.example.com"))),
                \.backendTLSPolicies)
        }
        for (name, gateway, backend) in [("a", "ours", "db"), ("b", "other", "mail")] {
            let rules = [RouteRule(backendRefs: [.init(name: backend, port: 1)])]
            add(
                TCPRoute(metadata: meta(name), spec: .init(parentRefs: [.init(name: gateway)], rules: rules)),
                \.tcpRoutes)
        }
        func add<Value: KubernetesResource>(
            _ value: Value, _ path: WritableKeyPath<ClusterSnapshot, [ObjectKey: Value]>
        ) {
            snapshot[keyPath: path][value.key] = value
        }
        func meta(_ name: String) -> ObjectMeta { ObjectMeta(name: name, namespace: "infra") }

        var options = TranslationOptions()
        options.standalone = true
        let found = referencedObjects(snapshot, options: options)
        #expect(found.secrets == [])
        #expect(found.configMaps == keys(["infra/used"]))
    }

    @Test("lists of policies that are attached to something of ours count, of the policy's namespace")
    func lists() throws {
        var snapshot = ClusterSnapshot(asOf: 0)
        for (name, className) in [("ours", "sluice"), ("other", "other")] {
            let spec = Gateway.Spec(
                gatewayClassName: className, listeners: [.init(name: "tcp", port: 1, protocol: .tcp)])
            let gateway = Gateway(metadata: ObjectMeta(name: name, namespace: "infra"), spec: spec)
            snapshot.gateways[gateway.key] = gateway
            let route = TCPRoute(
                metadata: ObjectMeta(name: "at-\(name)", namespace: "infra"),
                spec: .init(parentRefs: [.init(name: name)], rules: []))
            snapshot.tcpRoutes[route.key] = route
        }
        func attach(_ name: String, to kind: String, _ target: String, section: String? = nil) {
            var principal = ClientPolicy.Principal()
            principal.clientCIDRRefs = [.init(name: "\(name)-cidrs", key: "a")]
            var spec = ClientPolicy.Spec(targetRefs: [.init(kind: kind, name: target, sectionName: section)])
            spec.authorization = ClientPolicy.Authorization()
            spec.authorization?.rules = [.init(name: "r", action: "Deny", principal: principal)]
            var tls = ClientPolicy.TLS()
            tls.clientValidation = .init()
            tls.clientValidation?.crlRefs = [
                .init(name: "\(name)-crl", key: "a"), .init(kind: "Secret", name: "\(name)-crl", key: "a"),
            ]
            spec.tls = tls
            let policy = ClientPolicy(metadata: ObjectMeta(name: name, namespace: "infra"), spec: spec)
            snapshot.clientPolicies[policy.key] = policy
        }
        attach("gateway", to: "Gateway", "ours")
        attach("section", to: "Gateway", "ours", section: "tcp")
        attach("route", to: "TCPRoute", "at-ours")
        attach("foreign", to: "Gateway", "other")
        attach("foreign-route", to: "TCPRoute", "at-other")
        attach("lost", to: "TLSRoute", "at-ours")
        attach("kind", to: "Service", "ours")
        var options = TranslationOptions()
        options.standalone = true
        var finder = ReferenceFinder(options: options)
        let found = finder.find(snapshot)
        let names = ["gateway", "section", "route"]
        #expect(found.configMaps == keys(names.flatMap { ["infra/\($0)-cidrs", "infra/\($0)-crl"] }))
        #expect(found.secrets == keys(names.map { "infra/\($0)-crl" }))
        snapshot.tcpRoutes[ObjectKey(namespace: "infra", name: "at-ours")] = nil
        #expect(finder.find(snapshot).configMaps.count == 4)
    }

    @Test("nothing that the translation uses goes unfetched", arguments: try GoldenCase.all())
    func suffices(golden: GoldenCase) throws {
        let input = try GoldenInput(parsing: try golden.read("in.yaml"), file: golden.name)
        let found = referencedObjects(input.snapshot, options: input.options)
        var narrowed = input.snapshot
        narrowed.secrets = narrowed.secrets.filter { found.secrets.contains($0.key) }
        narrowed.configMaps = narrowed.configMaps.filter { found.configMaps.contains($0.key) }
        let whole = translate(input.snapshot, options: input.options)
        #expect(translate(narrowed, options: input.options).configuration == whole.configuration)
        #expect(translate(narrowed, options: input.options).statuses == whole.statuses)
    }
}
