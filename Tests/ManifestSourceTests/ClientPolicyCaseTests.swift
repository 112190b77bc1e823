import KubernetesAPI
import Platform
import Testing

@testable import ManifestSource

@Suite("ClientPolicies, as an API server judges them")
struct ClientPolicyCaseTests {
    @Test("there are cases, and each has its file")
    func present() throws {
        let folder = PolicyCase.folder("ClientPolicyCases")
        let cases = try PolicyCase.all("ClientPolicyCases")
        let files = try listDirectory("\(folder)/valid") + listDirectory("\(folder)/invalid")
        #expect(cases.count == 159)
        #expect(Set(files) == Set(cases.map { "\($0.name).yaml" }))
    }

    @Test("verdict, fields, rules", arguments: try PolicyCase.all("ClientPolicyCases"))
    func verdict(of item: PolicyCase) throws {
        let state = ManifestSource.load([item.path])
        #expect(state.problems.isEmpty == item.expected.valid, "\(state.problemLines)")
        let expected = (item.expected.errors ?? []).filter { $0.sideEffect != true }
        // Refused ones stay, so that the translation refuses what they would hold for; but for those that cannot be read.
        let isUnreadable =
            item.name == "client-duplicate-key"
            || expected.contains { ["FieldValueRequired", "FieldValueTypeInvalid"].contains($0.type) }
        #expect(state.snapshot.clientPolicies.isEmpty == isUnreadable)
        for problem in expected {
            let found = state.problems.filter { $0.field == problem.field }
            #expect(!found.isEmpty, "\(problem.field) is not in \(state.problemLines)")
            if let rule = problem.rule { #expect(found.map(\.message).contains(rule)) }
            #expect(found.allSatisfy { $0.line > 0 && $0.severity == .error })
        }
        if item.expected.rulesSkipped != true {
            #expect(state.problems.count == expected.count, "\(state.problemLines)")
        }
    }

    @Test("defaults", arguments: try PolicyCase.all("ClientPolicyCases").filter(\.expected.valid))
    func defaults(of item: PolicyCase) throws {
        let policy = try #require(ManifestSource.load([item.path]).snapshot.clientPolicies.values.first)
        #expect(policy.spec.defaulted == item.defaulted)
    }

    @Test(
        "a refused object stands for itself, for the translation remembers what was good; one that cannot be read changes nothing"
    )
    func lastGood() {
        var catalog = Catalog(unknownFields: .error)
        func action(_ text: String?) -> String? {
            if let text {
                let manifest = """
                    apiVersion: sluice.dev/v1alpha1
                    kind: ClientPolicy
                    metadata: {name: p}
                    spec:
                      targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g}]
                      authorization: {defaultAction: \(text)}
                    """
                catalog.update("p.yaml", content: Array(manifest.utf8))
            } else {
                catalog.remove("p.yaml")
            }
            let policies = catalog.snapshot(asOf: 0).state.snapshot.clientPolicies
            return policies.values.first?.spec.authorization?.defaultAction
        }
        let seen = [action("Maybe"), action("Allow"), action("Never"), action("[]"), action(nil), action("Never")]
        #expect(seen == ["Maybe", "Allow", "Never", "Never", nil, "Never"])
    }

    @Test(
        "what is wrong is said in words of its own",
        arguments: [
            ("client-tls-spki-short", "must have at least 44 characters, has 4"),
            (
                "client-tls-validation-empty",
                "must not be empty: set at least one of subjectAltNames, spkiHashes and crlRefs"
            ),
            ("client-tls-version-unquoted", "expected a string, found 1.2 (write it in quotes)"),
            ("client-tls-tickets", "expected a string, found On (write it in quotes)"),
            ("client-jitter-string", "expected an integer, found \"10\""),
            ("client-jitter-51", "must be between 0 and 50, found 51"),
            ("client-limit-zero", "must be at least 1, found 0"),
            ("client-duration-no-unit", "must be a duration such as 1h30m, 10s or 500ms, found \"30\""),
            ("client-bandwidth-unit", "must be a quantity such as 64Ki, 10Mi or 1500000, found \"50MB\""),
            ("client-authz-star-inside", "may have one '*', as its first or last character, found \"spiffe://*/ci\""),
            ("client-accesslog-event-twice", "is given twice"),
            ("client-duplicate-key", "the key \"idleTimeout\" is given twice (first in line 8)"),
            ("client-unknown-field", "unknown field \"idleTimeout\""),
        ])
    func words(name: String, message: String) {
        let path = PolicyCase.folder("ClientPolicyCases") + "/invalid/\(name).yaml"
        #expect(ManifestSource.load([path]).problems.map(\.message) == [message])
    }
}

extension ClientPolicy.Spec {
    /// What the definition fills in, by field: as the accessors say it.
    fileprivate var defaulted: [String: String] {
        var filled: [String: String] = [:]
        func fill(_ field: String, _ isAbsent: Bool, _ value: any CustomStringConvertible) {
            if isAbsent { filled["spec.\(field)"] = value.description }
        }
        if let proxy = proxyProtocol {
            fill("proxyProtocol.mode", proxy.mode == nil, proxy.effectiveMode)
            fill("proxyProtocol.headerTimeout", proxy.headerTimeout == nil, proxy.effectiveHeaderTimeout)
        }
        if let start = startTLS { fill("startTLS.mode", start.mode == nil, start.effectiveMode) }
        let validation = tls?.clientValidation
        for (index, name) in (validation?.subjectAltNames ?? []).enumerated() {
            fill("tls.clientValidation.subjectAltNames[\(index)].match", name.match == nil, name.effectiveMatch)
        }
        for (index, reference) in (validation?.crlRefs ?? []).enumerated() {
            fill("tls.clientValidation.crlRefs[\(index)].kind", reference.kind == nil, reference.effectiveKind)
        }
        if let keepalive = tcpKeepalive {
            fill("tcpKeepalive.idleTime", keepalive.idleTime == nil, keepalive.effectiveIdleTime)
            fill("tcpKeepalive.interval", keepalive.interval == nil, keepalive.effectiveInterval)
            fill("tcpKeepalive.probes", keepalive.probes == nil, keepalive.effectiveProbes)
        }
        if let log = accessLog {
            fill("accessLog.disabled", log.disabled == nil, log.isDisabled)
            // A list's value is not in the answers as they are read; that it is filled in, is.
            fill("accessLog.events", log.events == nil, log.effectiveEvents == ["Close"] ? "a list" : "another")
            fill("accessLog.include", log.include == nil, log.effectiveInclude)
        }
        if let authorization {
            fill(
                "authorization.defaultAction", authorization.defaultAction == nil, authorization.effectiveDefaultAction)
            fill(
                "authorization.terminateExisting", authorization.terminateExisting == nil,
                authorization.terminatesExisting)
        }
        limitDefaults(fill)
        return filled
    }

    private func limitDefaults(_ fill: (String, Bool, any CustomStringConvertible) -> Void) {
        if let limit = connectionLimit {
            fill("connectionLimit.closeDelay", limit.closeDelay == nil, limit.effectiveCloseDelay)
            fill("connectionLimit.onLimit", limit.onLimit == nil, limit.effectiveOnLimit)
            fill("connectionLimit.shared", limit.shared == nil, limit.effectiveShared)
        }
        if let source = connectionLimit?.perSourceIP {
            let field = "connectionLimit.perSourceIP"
            fill("\(field).ipv4PrefixLength", source.ipv4PrefixLength == nil, source.effectiveIPv4PrefixLength)
            fill("\(field).ipv6PrefixLength", source.ipv6PrefixLength == nil, source.effectiveIPv6PrefixLength)
        }
        if let limit = connectionRateLimit { fill("connectionRateLimit.unit", limit.unit == nil, limit.effectiveUnit) }
        if let source = connectionRateLimit?.perSourceIP {
            let field = "connectionRateLimit.perSourceIP"
            fill("\(field).ipv4PrefixLength", source.ipv4PrefixLength == nil, source.effectiveIPv4PrefixLength)
            fill("\(field).ipv6PrefixLength", source.ipv6PrefixLength == nil, source.effectiveIPv6PrefixLength)
        }
        if let limit = bandwidthLimit { fill("bandwidthLimit.scope", limit.scope == nil, limit.effectiveScope) }
    }
}
