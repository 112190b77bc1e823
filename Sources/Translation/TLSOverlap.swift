internal import KubernetesAPI
internal import Primitives

/// Says of TLS listeners on one port of a gateway that they share names: of the listener itself, or of its certificates
/// (then a client that reuses a connection may reach the other).
func markOverlaps(_ gateway: inout GatewayState) {
    let candidates = gateway.listeners.indices.filter {
        gateway.listeners[$0].isTLS && gateway.listeners[$0].conflict == nil
    }
    let onPort = Dictionary(grouping: candidates, by: { gateway.listeners[$0].spec.port })
    for indices in onPort.values where indices.count > 1 {
        let certificates = CertificateNames(indices.map { ($0, gateway.listeners[$0].certificates) })
        for index in indices {
            let own = gateway.listeners[index].hostname
            let byCertificate = certificates.sharing(with: index)
            let byName = indices.filter { $0 != index && hostnamesOverlap(own, gateway.listeners[$0].hostname) }
            if !byCertificate.isEmpty {
                let names = byCertificate.map { gateway.listeners[$0] }.names(for: gateway.listeners[index].owner)
                gateway.listeners[index].overlap = Verdict(
                    .overlappingCertificates, "certificates share names with those of listener \(names)")
            } else if !byName.isEmpty {
                let names = byName.map { gateway.listeners[$0] }.names(for: gateway.listeners[index].owner)
                gateway.listeners[index].overlap = Verdict(
                    .overlappingHostnames, "hostnames overlap with those of listener \(names)")
            }
        }
    }
}

private func hostnamesOverlap(_ left: HostnamePattern?, _ right: HostnamePattern?) -> Bool {
    guard let left, let right else { return true }
    return left.intersection(right) != nil
}

/// Who has a certificate for what, so that shared names are found without comparing every pair. In a certificate a
/// wildcard stands for exactly one label (RFC 6125).
private struct CertificateNames {
    private let names: [Int: Set<HostnamePattern>]
    private var owners: [HostnamePattern: Set<Int>] = [:]
    /// Owners of exact names, by what follows the first label.
    private var byParent: [String: Set<Int>] = [:]

    init(_ listeners: [(index: Int, certificates: [KeyPairFacts])]) {
        names = Dictionary(
            uniqueKeysWithValues: listeners.map { ($0.index, Set($0.certificates.flatMap(\.dnsNames))) })
        for (index, names) in names {
            for name in names {
                owners[name, default: []].insert(index)
                if let parent = name.parent { byParent[parent, default: []].insert(index) }
            }
        }
    }

    func sharing(with index: Int) -> [Int] {
        var others: Set<Int> = []
        for name in names[index] ?? [] {
            others.formUnion(owners[name] ?? [])
            switch name {
            case .exact: if let parent = name.parent { others.formUnion(owners[.wildcard(suffix: parent)] ?? []) }
            case .wildcard(let suffix): others.formUnion(byParent[suffix] ?? [])
            }
        }
        return others.subtracting([index]).sorted()
    }
}

extension HostnamePattern {
    /// What follows the first label of an exact name.
    fileprivate var parent: String? {
        guard case .exact(let name) = self, let dot = name.firstIndex(of: ".") else { return nil }
        return String(name[name.index(after: dot)...])
    }
}
