internal import KubernetesAPI

/// Pods that serve what this one does, this one among them: what limits are divided by. Those that any Service selects which
/// stands for the installation's pods. Nil: there is no such Service, or it has no pod that is ready, so that it is not known.
func readyReplicas(_ snapshot: ClusterSnapshot, _ options: TranslationOptions) -> Int? {
    guard let installation = options.installation else { return 1 }
    let services = installation.services(in: snapshot)
    var addresses: [String: Set<String>] = [:]
    for (key, slice) in snapshot.endpointSlices {
        guard let service = slice.service(in: key.namespace), services.contains(service) else { continue }
        for endpoint in slice.endpoints ?? [] where endpoint.conditions?.ready ?? true {
            // Each pod has its own, of either family.
            addresses[slice.addressType, default: []].formUnion(endpoint.addresses.prefix(1))
        }
    }
    return addresses.values.map(\.count).max()
}
