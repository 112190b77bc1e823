import KubernetesAPI
import Platform
import Testing

@testable import ManifestSource

@Suite("BackendPolicies, as an API server judges them")
struct BackendPolicyCaseTests {
    @Test("there are cases, and each has its file")
    func present() throws {
        let folder = PolicyCase.folder("BackendPolicyCases")
        let cases = try PolicyCase.all("BackendPolicyCases")
        let files = try listDirectory("\(folder)/valid") + listDirectory("\(folder)/invalid")
        #expect(cases.count == 94)
        #expect(Set(files) == Set(cases.map { "\($0.name).yaml" }))
    }

    @Test("verdict, fields, rules", arguments: try PolicyCase.all("BackendPolicyCases"))
    func verdict(of item: PolicyCase) throws {
        let state = ManifestSource.load([item.path])
        #expect(state.problems.isEmpty == item.expected.valid, "\(state.problemLines)")
        let expected = (item.expected.errors ?? []).filter { $0.sideEffect != true }
        // Refused ones stay, so that the translation refuses what they would hold for; but for those that cannot be read.
        let isUnreadable = expected.contains { ["FieldValueRequired", "FieldValueTypeInvalid"].contains($0.type) }
        #expect(state.snapshot.backendPolicies.isEmpty == isUnreadable)
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

    @Test("defaults", arguments: try PolicyCase.all("BackendPolicyCases").filter(\.expected.valid))
    func defaults(of item: PolicyCase) throws {
        let policy = try #require(ManifestSource.load([item.path]).snapshot.backendPolicies.values.first)
        #expect(policy.spec.defaulted == item.defaulted)
    }

    @Test(
        "a refused object stands for itself, for the translation remembers what was good; one that cannot be read changes nothing"
    )
    func lastGood() {
        var catalog = Catalog(unknownFields: .error)
        func verification(_ text: String?) -> String? {
            if let text {
                let manifest = """
                    apiVersion: sluice.dev/v1alpha1
                    kind: BackendPolicy
                    metadata: {name: p}
                    spec:
                      targetRefs: [{group: "", kind: Service, name: db}]
                      tls: {verification: \(text)}
                    """
                catalog.update("p.yaml", content: Array(manifest.utf8))
            } else {
                catalog.remove("p.yaml")
            }
            return catalog.snapshot(asOf: 0).state.snapshot.backendPolicies.values.first?.spec.tls?.verification
        }
        let seen = [
            verification("Maybe"), verification("CA"), verification("Never"), verification("[]"), verification(nil),
            verification("Never"),
        ]
        #expect(seen == ["Maybe", "CA", "Never", "Never", nil, "Never"])
    }

    @Test(
        "what is wrong is said in words of its own",
        arguments: [
            (
                "backend-policy-check-not-base64",
                "must be base64 of the standard alphabet (letters, digits, '+', '/'), padded with '=', found \"not base64!\""
            ),
            (
                "backend-policy-tls-server-name-keyword",
                "must be a host name in lower case, such as db.example.com, or FromClient, found \"fromClient\""
            ),
            ("backend-policy-lb-table-size", "must be between 2 and 5000011, found 5000012"),
            ("backend-policy-breaker-pending", "must be at least 0, found -1"),
            ("backend-policy-on-recovered", "must be Keep or Drain, found \"Close\""),
            ("backend-policy-proxy-version", "is required"),
            ("backend-policy-tls-pin-empty", "must have at least 1 item"),
        ])
    func words(name: String, message: String) {
        let path = PolicyCase.folder("BackendPolicyCases") + "/invalid/\(name).yaml"
        #expect(ManifestSource.load([path]).problems.map(\.message) == [message])
    }

    @Test(
        "what should be an empty object is no list, no text, and has no fields", arguments: ["[]", "yes", "{at: 1s}"])
    func close(text: String) {
        let manifest = """
            apiVersion: sluice.dev/v1alpha1
            kind: BackendPolicy
            metadata: {name: p}
            spec:
              targetRefs: [{group: "", kind: Service, name: db}]
              healthCheck: {active: {tcp: {steps: [{close: \(text)}]}}}
            """
        var catalog = Catalog(unknownFields: .error)
        catalog.update("p.yaml", content: Array(manifest.utf8))
        let fields = catalog.snapshot(asOf: 0).state.problems.map(\.field)
        let close = "spec.healthCheck.active.tcp.steps[0].close"
        #expect(fields == [text.hasPrefix("{") ? "\(close).at" : close])
    }
}

extension BackendPolicy.Spec {
    private typealias Fill = (String, Bool, any CustomStringConvertible) -> Void

    /// What the definition fills in, by field: as the accessors say it.
    fileprivate var defaulted: [String: String] {
        var filled: [String: String] = [:]
        func fill(_ field: String, _ isAbsent: Bool, _ value: any CustomStringConvertible) {
            if isAbsent { filled["spec.\(field)"] = value.description }
        }
        balancerDefaults(fill)
        checkDefaults(fill)
        if let retry { fill("retry.numRetries", retry.numRetries == nil, retry.effectiveNumRetries) }
        if let backOff = retry?.perRetry?.backOff {
            let field = "retry.perRetry.backOff"
            fill("\(field).baseInterval", backOff.baseInterval == nil, backOff.effectiveBaseInterval)
            fill("\(field).maxInterval", backOff.maxInterval == nil, backOff.effectiveMaxInterval)
        }
        if let breaker = circuitBreaker {
            fill(
                "circuitBreaker.maxPendingConnections", breaker.maxPendingConnections == nil,
                breaker.effectiveMaxPendingConnections)
        }
        if let dns {
            fill("dns.dnsRefreshRate", dns.dnsRefreshRate == nil, dns.effectiveDNSRefreshRate)
            fill("dns.respectDnsTtl", dns.respectDnsTtl == nil, dns.respectsTTL)
            fill("dns.lookupFamily", dns.lookupFamily == nil, dns.effectiveLookupFamily)
        }
        return filled
    }

    private func balancerDefaults(_ fill: Fill) {
        guard let balancer = loadBalancer else { return }
        fill("loadBalancer.type", balancer.type == nil, balancer.effectiveType)
        if let hash = balancer.consistentHash {
            let field = "loadBalancer.consistentHash"
            fill("\(field).type", hash.type == nil, hash.effectiveType)
            fill("\(field).tableSize", hash.tableSize == nil, hash.effectiveTableSize)
            fill("\(field).ipv6PrefixLength", hash.ipv6PrefixLength == nil, hash.effectiveIPv6PrefixLength)
        }
        if let local = balancer.zoneAware?.preferLocal {
            let field = "loadBalancer.zoneAware.preferLocal"
            fill(
                "\(field).minEndpointsThreshold", local.minEndpointsThreshold == nil,
                local.effectiveMinEndpointsThreshold)
            fill("\(field).percentageEnabled", local.percentageEnabled == nil, local.effectivePercentageEnabled)
            if let force = local.force {
                fill(
                    "\(field).force.minEndpointsInZoneThreshold", force.minEndpointsInZoneThreshold == nil,
                    force.effectiveMinEndpointsInZoneThreshold)
            }
        }
    }

    private func checkDefaults(_ fill: Fill) {
        guard let check = healthCheck else { return }
        fill("healthCheck.panicThreshold", check.panicThreshold == nil, check.effectivePanicThreshold)
        if let active = check.active {
            let field = "healthCheck.active"
            fill("\(field).type", active.type == nil, active.effectiveType)
            fill("\(field).timeout", active.timeout == nil, active.effectiveTimeout)
            fill("\(field).interval", active.interval == nil, active.effectiveInterval)
            fill("\(field).unhealthyThreshold", active.unhealthyThreshold == nil, active.effectiveUnhealthyThreshold)
            fill("\(field).healthyThreshold", active.healthyThreshold == nil, active.effectiveHealthyThreshold)
            fill("\(field).initialState", active.initialState == nil, active.effectiveInitialState)
            fill("\(field).plaintext", active.plaintext == nil, active.isPlaintext)
            if let tcp = active.tcp {
                fill("\(field).tcp.maxResponseBytes", tcp.maxResponseBytes == nil, tcp.effectiveMaxResponseBytes)
            }
        }
        if let passive = check.passive {
            let field = "healthCheck.passive"
            fill(
                "\(field).consecutiveLocalOriginFailures", passive.consecutiveLocalOriginFailures == nil,
                passive.effectiveConsecutiveLocalOriginFailures)
            fill("\(field).interval", passive.interval == nil, passive.effectiveInterval)
            fill("\(field).baseEjectionTime", passive.baseEjectionTime == nil, passive.effectiveBaseEjectionTime)
            fill("\(field).maxEjectionPercent", passive.maxEjectionPercent == nil, passive.effectiveMaxEjectionPercent)
            fill(
                "\(field).alwaysEjectOneEndpoint", passive.alwaysEjectOneEndpoint == nil,
                passive.alwaysEjectsOneEndpoint)
        }
    }
}
