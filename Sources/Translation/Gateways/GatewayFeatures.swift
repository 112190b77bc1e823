internal import KubernetesAPI

/// The features of Gateway API that every class of ours has, by upstream's names. docs/conformance.md says what stands behind
/// each.
public enum GatewayFeatures {
    /// Sorted, as GatewayClass status demands.
    public static let names = [
        "BackendTLSPolicy", "BackendTLSPolicySANValidation", "Gateway", "GatewayAddressEmpty",
        "GatewayBackendClientCertificate", "GatewayFrontendClientCertificateValidation",
        "GatewayFrontendClientCertificateValidationInsecureFallback", "GatewayPort8080", "GatewayStaticAddresses",
        "ListenerSet", "ReferenceGrant", "TCPRoute", "TLSRoute", "TLSRouteModeMixed", "TLSRouteModeTerminate",
    ]
}

/// What the version of the cluster's CRDs means for a GatewayClass.
struct BundleSupport {
    /// The minor versions of Gateway API 1 that are read.
    private static let supported = 0...6
    /// The first minor version whose GatewayClass has `supportedFeatures` in its standard channel: written to an older one
    /// the API server would drop it, time and again.
    private static let firstWithFeatures = 4

    /// Nil: neither known nor asked for.
    let condition: Condition?
    let features: [SupportedFeature]?

    init(_ snapshot: ClusterSnapshot, _ options: TranslationOptions, generation: Int64?) {
        guard let bundle = snapshot.gatewayAPIBundle else {
            features = nil
            condition =
                options.standalone
                ? nil
                : Condition(
                    .supportedVersion, .unknown, .pending,
                    "the version of the Gateway API CRDs is not known: they cannot be read",
                    observedGeneration: generation)
            return
        }
        let minor = BundleSupport.minor(bundle.version)
        let isKnown = minor.map { BundleSupport.supported.contains($0) } ?? false
        let range = "v1.\(BundleSupport.supported.lowerBound) to v1.\(BundleSupport.supported.upperBound)"
        let version = bundle.version.isEmpty ? "none" : bundle.version
        let verdict =
            isKnown
            ? nil
            : Verdict(
                .unsupportedVersion,
                "the Gateway API CRDs are of version \(version), supported are \(range): served as far as it is understood"
            )
        condition = Condition(
            .supportedVersion, verdict, otherwise: .supportedVersion, "Gateway API \(version)", generation: generation)
        features =
            (minor ?? 0) >= BundleSupport.firstWithFeatures
            ? GatewayFeatures.names.map(SupportedFeature.init(name:)) : nil
    }

    /// The minor version of `v1.MINOR.PATCH`, with or without a suffix; nil: another major version, or no version.
    private static func minor(_ version: String) -> Int? {
        let parts = version.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0] == "v1" else { return nil }
        return Int(parts[1]).flatMap { $0 >= 0 ? $0 : nil }
    }
}
