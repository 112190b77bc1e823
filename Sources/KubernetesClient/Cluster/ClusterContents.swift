internal import KubernetesAPI
internal import Patterns

/// What all caches hold together. Owned by the cluster's thread; the caches write into it.
final class ClusterContents {
    var snapshot = ClusterSnapshot(asOf: 0)
    var observed = ObservedStatuses()
    /// Objects whose last version cannot be read.
    var faults: [ObjectIdentity: ObjectFault] = [:]
    /// The annotations of CRDs by their names.
    var definitions: [ObjectKey: [String: String]] = [:]
    /// Those of the installation itself.
    var ownSecrets: [ObjectKey: Secret] = [:]
    /// The objects as they were sent, for a cache on disk; nil: there is none.
    var texts: ObjectTexts?

    private var patternProblems = PatternProblems()

    /// Since the last delivery.
    var touched = TouchedObjects()
    var snapshotChanged = false { didSet { if snapshotChanged { isTouched = true } } }
    var observedChanged = false { didSet { if observedChanged { isTouched = true } } }
    /// Since the last turn.
    var isTouched = false
    /// Since the last look at it.
    var definitionsChanged = false
    var ownSecretsChanged = false
    /// Versions of objects that could not be read, by plural, since the start.
    var faultCounts: [String: UInt64] = [:]
}

/// An object among all kinds.
struct ObjectIdentity: Hashable, Comparable, CustomStringConvertible {
    var kind: String
    var key: ObjectKey

    var description: String { "\(kind) \(key)" }
    static func < (left: ObjectIdentity, right: ObjectIdentity) -> Bool {
        (left.kind, left.key) < (right.kind, right.key)
    }
}

extension ClusterContents {
    /// Finds out what is wrong with patterns, where one may be another than at the last delivery.
    func judgePatterns() {
        guard !touched[BackendPolicy.resourceKind.kind].isEmpty else { return }
        snapshot.patternProblems = patternProblems.of(snapshot.backendPolicies.values.flatMap(\.patterns))
    }

    /// What the CRD of GatewayClasses says, or that of Gateways; without a version where it has no such annotation.
    var bundle: GatewayAPIBundle? {
        for plural in ["gatewayclasses", "gateways"] {
            guard let annotations = definitions[ObjectKey(namespace: "", name: "\(plural).\(gatewayAPIGroup)")]
            else { continue }
            return GatewayAPIBundle(
                version: annotations["\(gatewayAPIGroup)/bundle-version"] ?? "",
                channel: annotations["\(gatewayAPIGroup)/channel"] ?? "")
        }
        return nil
    }
}
