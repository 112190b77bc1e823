internal import KubernetesAPI
internal import Primitives

/// Why an object that a policy names gives nothing that can be used.
struct PolicyFactProblem: Error {
    let message: String
}

/// The addresses that a key of a ConfigMap lists.
func addressList(
    _ object: ObjectKey, key: String, in snapshot: ClusterSnapshot
) -> Result<AddressList, PolicyFactProblem> {
    guard let entry = snapshot.configMaps[object] else {
        return .failure(PolicyFactProblem(message: absence(of: "ConfigMap", object, in: snapshot)))
    }
    guard let list = entry.addressLists[key] else {
        return .failure(PolicyFactProblem(message: "ConfigMap \(object) has no \(key)"))
    }
    return list.mapError { PolicyFactProblem(message: "ConfigMap \(object), \(key): \($0.description)") }
}

/// The revocation lists that a key of a ConfigMap or Secret holds.
func revocationLists(
    _ kind: String, _ object: ObjectKey, key: String, in snapshot: ClusterSnapshot
) -> Result<RevocationFacts, PolicyFactProblem> {
    let lists =
        kind == "Secret" ? snapshot.secrets[object]?.revocationLists : snapshot.configMaps[object]?.revocationLists
    guard let lists else { return .failure(PolicyFactProblem(message: absence(of: kind, object, in: snapshot))) }
    guard let list = lists[key] else { return .failure(PolicyFactProblem(message: "\(kind) \(object) has no \(key)")) }
    // It names the key.
    return list.mapError { PolicyFactProblem(message: "\(kind) \(object): \($0.message)") }
}
