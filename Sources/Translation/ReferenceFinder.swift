public import KubernetesAPI

/// ``referencedObjects(_:options:)`` for one snapshot after another: where nothing changed that could refer to something, the last
/// answer is given again. A value of one thread.
public struct ReferenceFinder: Sendable {
    private let options: TranslationOptions
    private var last: (asked: ClusterSnapshot, found: ReferencedObjects)?

    public init(options: TranslationOptions) { self.options = options }

    /// What ``referencedObjects(_:options:)`` says.
    public mutating func find(_ snapshot: ClusterSnapshot) -> ReferencedObjects {
        let asked = snapshot.referringParts
        if let last, last.asked == asked { return last.found }
        let found = referencedObjects(asked, options: options)
        last = (asked, found)
        return found
    }
}

extension ClusterSnapshot {
    /// Without what refers to no Secret and no ConfigMap. Routes do by way of the policies for them and for their
    /// backends alone.
    fileprivate var referringParts: ClusterSnapshot {
        var parts = self
        (parts.asOf, parts.notPermitted, parts.unread) = (0, ReferencedObjects(), ReferencedObjects())
        (parts.services, parts.endpointSlices, parts.backends, parts.nodes) = ([:], [:], [:], [:])
        (parts.secrets, parts.configMaps) = ([:], [:])
        let hasAuthorities = backendTLSPolicies.values.contains {
            !($0.spec.validation.caCertificateRefs ?? []).isEmpty
        }
        parts.clientPolicies = clientPolicies.filter { $0.value.refersToObjects }
        if !hasAuthorities, !parts.clientPolicies.values.contains(where: \.concernsRoutes) {
            (parts.tcpRoutes, parts.tlsRoutes) = ([:], [:])
        }
        return parts
    }
}

extension ClientPolicy {
    fileprivate var concernsRoutes: Bool {
        spec.targetRefs.contains { reference in
            if case .route? = reference.point(in: "") { true } else { false }
        }
    }
}
