import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// References to objects of another namespace, each way that there is one, with every grant that is not the right one.
@Suite("Tenancy: references across namespaces")
struct ReferenceTenancyTests {
    private typealias Bench = TenancyBench

    /// A way by which blue refers to something of red's.
    enum Way: String, CaseIterable, Sendable {
        case routeToService, tcpRouteToService, routeToBackend, certificateOfSet, certificateOfGateway, clientCA,
            clientCertificate

        var from: String {
            switch self {
            case .routeToService, .routeToBackend: "TLSRoute"
            case .tcpRouteToService: "TCPRoute"
            case .certificateOfSet: "ListenerSet"
            case .certificateOfGateway, .clientCA, .clientCertificate: "Gateway"
            }
        }

        /// Group and kind, as a grant has them.
        var to: String {
            switch self {
            case .routeToService, .tcpRouteToService: "group: \"\", kind: Service"
            case .routeToBackend: "group: sluice.dev, kind: Backend"
            case .certificateOfSet, .certificateOfGateway, .clientCertificate: "group: \"\", kind: Secret"
            case .clientCA: "group: \"\", kind: ConfigMap"
            }
        }

        var target: String {
            switch self {
            case .routeToService, .tcpRouteToService, .routeToBackend: "app"
            case .certificateOfSet, .certificateOfGateway, .clientCertificate: "cert"
            case .clientCA: "ca"
            }
        }

        /// Blue's object that refers to `target` of red.
        func manifests(to target: String) -> String {
            let secret = "certificateRefs: [{name: \(target), namespace: red}]"
            switch self {
            case .routeToService:
                return TenancyBench.tlsRoute(
                    "blue/x", hosts: ["x.example.com"], to: "name: \(target), namespace: red, port: 80")
            case .tcpRouteToService:
                return TenancyBench.tcpRoute("blue/x", to: "name: \(target), namespace: red, port: 80")
            case .routeToBackend:
                return TenancyBench.tlsRoute(
                    "blue/x", hosts: ["x.example.com"],
                    to: "group: sluice.dev, kind: Backend, name: \(target), namespace: red") + backend
            case .certificateOfSet:
                return TenancyBench.listenerSet(
                    "blue/x",
                    "{name: tls, protocol: TLS, port: 9443, tls: {mode: Terminate, \(secret)}}")
            case .certificateOfGateway: return gateway("\(secret)", "")
            case .clientCA:
                return gateway(
                    "certificateRefs: [{name: cert}]",
                    "tls: {frontend: {default: {validation: {caCertificateRefs: [{group: \"\", kind: ConfigMap, "
                        + "name: \(target), namespace: red}]}}}}, ")
            case .clientCertificate:
                return gateway(
                    "certificateRefs: [{name: cert}]",
                    "tls: {backend: {clientCertificateRef: {name: \(target), namespace: red}}}, ")
            }
        }

        private var backend: String {
            """
            ---
            apiVersion: sluice.dev/v1alpha1
            kind: Backend
            metadata: {name: app, namespace: red}
            spec: {endpoints: [{ip: {address: 10.0.1.9, port: 80}}]}

            """
        }

        private func gateway(_ certificate: String, _ spec: String) -> String {
            """
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: x, namespace: blue, creationTimestamp: "2026-01-04T00:00:00Z"}
            spec:
              {gatewayClassName: sluice, \(spec)listeners: [{name: tls, protocol: TLS, port: 9443,
               tls: {mode: Terminate, \(certificate)}}]}

            """
        }

        var kind: String {
            switch self {
            case .routeToService, .routeToBackend: "TLSRoute"
            case .tcpRouteToService: "TCPRoute"
            case .certificateOfSet: "ListenerSet"
            case .certificateOfGateway, .clientCA, .clientCertificate: "Gateway"
            }
        }
    }

    /// Whether blue has what it asked for.
    private func isUsed(_ way: Way, _ bench: TenancyBench) -> Bool {
        let result = bench.result.configuration
        switch way {
        case .routeToService: return bench.endpoints(bench.route("x.example.com", at: 443)) == ["10.0.1.1:8080"]
        case .tcpRouteToService: return bench.endpoints(bench.route("", at: 5432)) == ["10.0.1.1:8080"]
        case .routeToBackend: return bench.endpoints(bench.route("x.example.com", at: 443)) == ["10.0.1.9:80"]
        case .certificateOfSet, .certificateOfGateway, .clientCA: return result.listeners.contains { $0.port == 9443 }
        case .clientCertificate: return !bench.says("Gateway", "blue/x", "ResolvedRefs=False RefNotPermitted")
        }
    }

    private func isAsked(_ way: Way, _ bench: TenancyBench) -> Bool {
        let asked = referencedObjects(bench.snapshot, options: bench.options)
        return (asked.secrets.map(\.namespace) + asked.configMaps.map(\.namespace)).contains("red")
    }

    private func right(_ way: Way, name: String? = nil) -> String {
        Bench.grant(
            "red/grant", from: "group: gateway.networking.k8s.io, kind: \(way.from), namespace: blue",
            to: way.to + (name.map { ", name: \($0)" } ?? ""))
    }

    @Test("with the right grant it is used, by name or for all of the kind", arguments: Way.allCases)
    func granted(way: Way) throws {
        for name in [nil, way.target] {
            let bench = try Bench(way.manifests(to: way.target) + right(way, name: name))
            #expect(isUsed(way, bench), "\(bench.said(way.kind, "blue/x"))")
            #expect(bench.says(way.kind, "blue/x", "ResolvedRefs=True ResolvedRefs"))
        }
    }

    @Test(
        "without one, and with each that is for something else, it is neither used nor asked for",
        arguments: Way.allCases)
    func refused(way: Way) throws {
        let gatewayAPI = "group: gateway.networking.k8s.io"
        let otherKind = way.from == "TLSRoute" ? "TCPRoute" : "TLSRoute"
        let otherTarget = way.to.contains("Secret") ? "group: \"\", kind: ConfigMap" : "group: \"\", kind: Secret"
        let grants = [
            "",
            right(way, name: "other"),
            Bench.grant("red/grant", from: "\(gatewayAPI), kind: \(way.from), namespace: green", to: way.to),
            Bench.grant("red/grant", from: "\(gatewayAPI), kind: \(otherKind), namespace: blue", to: way.to),
            Bench.grant("red/grant", from: "group: \"\", kind: \(way.from), namespace: blue", to: way.to),
            Bench.grant("red/grant", from: "\(gatewayAPI), kind: \(way.from), namespace: blue", to: otherTarget),
            Bench.grant("red/grant", from: "\(gatewayAPI), kind: \(way.from), namespace: \"*\"", to: way.to),
            // In the namespace of who wants it, or of the Gateway.
            Bench.grant("blue/grant", from: "\(gatewayAPI), kind: \(way.from), namespace: blue", to: way.to),
            Bench.grant("infra/grant", from: "\(gatewayAPI), kind: \(way.from), namespace: blue", to: way.to),
        ]
        for (number, grant) in grants.enumerated() {
            let bench = try Bench(way.manifests(to: way.target) + grant)
            #expect(!isUsed(way, bench), "grant \(number)")
            #expect(bench.says(way.kind, "blue/x", "ResolvedRefs=False RefNotPermitted"), "grant \(number)")
            #expect(!isAsked(way, bench), "grant \(number)")
        }
    }

    @Test("whether the object is there makes no difference to what is said without a grant", arguments: Way.allCases)
    func existence(way: Way) throws {
        let there = try Bench(way.manifests(to: way.target)).said(way.kind, "blue/x")
        let missing = try Bench(way.manifests(to: "missing")).said(way.kind, "blue/x")
        #expect(there.map { $0.replacing("red/\(way.target)", with: "red/missing") } == missing)
        #expect(!there.isEmpty)
    }

    @Test("a grant that is taken back ends it at once, whatever is remembered", arguments: Way.allCases)
    func revoked(way: Way) throws {
        let granted = try Bench(way.manifests(to: way.target) + right(way))
        let translator = Translator(options: granted.options)
        #expect(translator.translate(granted.snapshot).configuration == granted.result.configuration)
        var snapshot = granted.snapshot
        snapshot.referenceGrants = [:]
        let after = translator.translate(snapshot)
        let fresh = Bench(snapshot)
        #expect(!isUsed(way, fresh))
        #expect(after == fresh.result)
    }

    @Test("in its own namespace a policy's references stay: CAs, lists and pins of others cannot be named")
    func policies() throws {
        let bench = try Bench(
            Bench.tlsRoute("blue/x", hosts: ["x.example.com"], section: "secret")
                + Bench.policy(
                    "ClientPolicy", "blue/lists", on: Bench.gatewayTarget("TLSRoute", "x"),
                    "authorization: {rules: [{name: a, action: Allow, principal: {clientCIDRRefs: [{name: ca, key: ca.crt}]}}]}"
                )
                    + """
                    ---
                    apiVersion: gateway.networking.k8s.io/v1
                    kind: BackendTLSPolicy
                    metadata: {name: ca, namespace: blue}
                    spec:
                      targetRefs: [{group: "", kind: Service, name: own}]
                      validation: {hostname: own.example.com, caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}

                    """)
        #expect(bench.says("ClientPolicy", "blue/lists", "ResolvedRefs=False InvalidRef"))
        #expect(bench.says("BackendTLSPolicy", "blue/ca", "Accepted=False NoValidCACertificate"))
        let asked = referencedObjects(bench.snapshot, options: bench.options)
        #expect(asked.configMaps.allSatisfy { $0.namespace == "blue" } && !asked.configMaps.isEmpty)
    }
}
