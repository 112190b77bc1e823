internal import EngineModel
internal import FoundationEssentials
internal import KubernetesAPI

/// Why a Secret holds no keys of tickets; says nothing of what it holds.
struct TicketSecretProblem: Error, Hashable, CustomStringConvertible {
    let description: String
}

extension TicketKeySet {
    /// When the keys were last rotated (RFC 3339). Without it they are rotated at once.
    static let rotationAnnotation = "sluice.dev/rotated-at"

    /// From a Secret with the keys `next`, `current` and, once there was one, `previous`, each of 80 bytes.
    init(_ secret: Secret) throws(TicketSecretProblem) {
        func key(_ field: String) throws(TicketSecretProblem) -> TicketKey? {
            guard let text = secret.data?[field] else { return nil }
            guard let data = Data(base64Encoded: text), let key = TicketKey(bytes: Array(data)) else {
                throw TicketSecretProblem(description: "\(field) is not \(TicketKey.byteCount) bytes")
            }
            return key
        }
        guard let next = try key("next"), let current = try key("current") else {
            throw TicketSecretProblem(description: "next and current are not both there")
        }
        let previous = try key("previous")
        let names = [next, current, previous].compactMap { $0?.name }
        guard Set(names).count == names.count else {
            throw TicketSecretProblem(description: "two keys have the same name")
        }
        let stamp = secret.metadata.annotations?[TicketKeySet.rotationAnnotation].flatMap { Timestamp($0) }
        self.init(next: next, current: current, previous: previous, rotatedAt: stamp?.seconds ?? 0)
    }

    /// A new Secret, which goes with the installation's ConfigMap where there is one.
    func secret(_ key: ObjectKey, owner: OwnerMarker?) -> JSONValue {
        var metadata: [String: JSONValue] = [
            "name": .string(key.name), "namespace": .string(key.namespace),
            "labels": .object(["app.kubernetes.io/managed-by": .string("sluice")]),
        ]
        if let owner { metadata["ownerReferences"] = .array([owner.reference]) }
        return put(
            into: .object([
                "apiVersion": .string("v1"), "kind": .string("Secret"), "type": .string("Opaque"),
                "metadata": .object(metadata),
            ]))
    }

    /// The Secret with these keys; whatever else it has stays, and with it its resourceVersion.
    func put(into secret: JSONValue) -> JSONValue {
        var fields = secret.fields ?? [:]
        var metadata = secret["metadata"]?.fields ?? [:]
        var annotations = metadata["annotations"]?.fields ?? [:]
        annotations[TicketKeySet.rotationAnnotation] = .string(TimeText.seconds(rotatedAt))
        metadata["annotations"] = .object(annotations)
        var data = fields["data"]?.fields ?? [:]
        for (name, key) in [("next", next), ("current", current), ("previous", previous)] {
            data[name] = key.map { .string(Data($0.bytes).base64EncodedString()) }
        }
        (fields["metadata"], fields["data"]) = (.object(metadata), .object(data))
        return .object(fields)
    }
}
