internal import KubernetesAPI
internal import Translation

/// What a Service of ours is applied as, and whether a living one already is that.
struct ServiceManifest {
    /// The digest of what was applied last: tells a field that we no longer want from one that somebody else added.
    static let digestAnnotation = "sluice.dev/applied"

    let object: JSONValue
    let digest: String
    private let desired: DesiredService

    /// `owner`: the installation's marker ConfigMap, with which the Service goes.
    init(_ desired: DesiredService, owner: OwnerMarker?) {
        var desired = desired
        // Whoever owns the gateway may give any annotation.
        desired.annotations[ServiceManifest.digestAnnotation] = nil
        self.desired = desired
        let digest = ServiceManifest.fingerprint(ServiceManifest.object(desired, owner, digest: nil).bytes)
        (self.digest, object) = (digest, ServiceManifest.object(desired, owner, digest: digest))
    }

    /// Whether applying it would change nothing that matters. What others added does not.
    func isSatisfied(by living: Service) -> Bool {
        let annotations = living.metadata.annotations ?? [:]
        guard annotations[ServiceManifest.digestAnnotation] == digest,
            desired.labels.allSatisfy({ living.metadata.labels?[$0.key] == $0.value }),
            desired.annotations.allSatisfy({ annotations[$0.key] == $0.value })
        else { return false }
        let spec = living.spec
        return spec.type ?? "ClusterIP" == desired.type && spec.selector ?? [:] == desired.selector
            && hasPorts(spec.ports ?? [])
            && ServiceManifest.agrees(desired.externalTrafficPolicy, spec.externalTrafficPolicy)
            && ServiceManifest.agrees(desired.loadBalancerClass, spec.loadBalancerClass)
            && ServiceManifest.agrees(desired.loadBalancerIP, spec.loadBalancerIP)
            && ServiceManifest.agrees(desired.ipFamilyPolicy, spec.ipFamilyPolicy)
            && (desired.ipFamilies.map { (spec.ipFamilies ?? []).starts(with: $0) } ?? true)
    }

    private func hasPorts(_ living: [Service.Port]) -> Bool {
        guard living.count == desired.ports.count else { return false }
        let byPort = Dictionary(living.map { ($0.port, $0) }, uniquingKeysWith: { first, _ in first })
        return desired.ports.allSatisfy { port in
            guard let other = byPort[Int(port.port)] else { return false }
            return other.name ?? "" == port.name && other.effectiveProtocol == "TCP"
                && other.targetPort?.number == Int(port.targetPort)
                && (port.nodePort.map { other.nodePort == Int($0) } ?? true)
        }
    }

    private static func agrees(_ desired: String?, _ living: String?) -> Bool { desired == nil || desired == living }

    private static func object(_ desired: DesiredService, _ owner: OwnerMarker?, digest: String?) -> JSONValue {
        var annotations = desired.annotations.mapValues(JSONValue.string)
        if let digest { annotations[digestAnnotation] = .string(digest) }
        var metadata: [String: JSONValue] = [
            "name": .string(desired.key.name), "namespace": .string(desired.key.namespace),
            "labels": .object(desired.labels.mapValues(JSONValue.string)), "annotations": .object(annotations),
        ]
        if let owner { metadata["ownerReferences"] = .array([owner.reference]) }
        var spec: [String: JSONValue] = [
            "type": .string(desired.type), "selector": .object(desired.selector.mapValues(JSONValue.string)),
            "ports": .array(desired.ports.map(port)),
        ]
        let texts = [
            "externalTrafficPolicy": desired.externalTrafficPolicy, "loadBalancerClass": desired.loadBalancerClass,
            "loadBalancerIP": desired.loadBalancerIP, "ipFamilyPolicy": desired.ipFamilyPolicy,
        ]
        for (name, text) in texts { spec[name] = text.map(JSONValue.string) }
        spec["ipFamilies"] = desired.ipFamilies.map { .array($0.map(JSONValue.string)) }
        return .object([
            "apiVersion": .string("v1"), "kind": .string("Service"), "metadata": .object(metadata),
            "spec": .object(spec),
        ])
    }

    private static func port(_ port: DesiredService.Port) -> JSONValue {
        var fields: [String: JSONValue] = [
            "name": .string(port.name), "port": .integer(Int64(port.port)), "protocol": .string("TCP"),
            "targetPort": .integer(Int64(port.targetPort)),
        ]
        fields["nodePort"] = port.nodePort.map { .integer(Int64($0)) }
        return .object(fields)
    }

    /// FNV-1a, 64 bits: tells one configuration from another, and guards nothing.
    private static func fingerprint(_ bytes: [UInt8]) -> String {
        let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }
}

/// The ConfigMap that stands for the installation: what it owns is collected with it.
struct OwnerMarker: Hashable, Sendable {
    var name: String
    var uid: String

    var reference: JSONValue {
        .object([
            "apiVersion": .string("v1"), "kind": .string("ConfigMap"), "name": .string(name), "uid": .string(uid),
        ])
    }
}
