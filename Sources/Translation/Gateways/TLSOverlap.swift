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
        var certificates = CertificateNames(indices.map { ($0, gateway.listeners[$0].certificates) })
        for index in indices {
            gateway.listeners[index].overlap = overlap(
                of: index, certificates.sharing(with: index), indices, gateway.listeners)
        }
    }
}

/// What is said of a listener that overlaps with others, by its certificates or by name; nil: there are none.
private func overlap(
    of index: Int, _ byCertificate: [Int], _ onPort: [Int], _ listeners: [ListenerState]
) -> Verdict? {
    let own = listeners[index]
    let sharing = byCertificate.lazy.filter { $0 != index }.map { listeners[$0] }.names(for: own.owner)
    if !sharing.isEmpty {
        return Verdict(.overlappingCertificates, "certificates share names with those of listener \(sharing)")
    }
    let near = onPort.lazy.filter { $0 != index && hostnamesOverlap(own.hostname, listeners[$0].hostname) }
    let names = near.map { listeners[$0] }.names(for: own.owner)
    return names.isEmpty
        ? nil : Verdict(.overlappingHostnames, "hostnames overlap with those of listener \(names)")
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
    private var answers: [Set<HostnamePattern>: [Int]] = [:]

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

    /// Listeners whose certificates share a name with those of the one, which is among them; in order. Those with the same
    /// names have the same answer, worked out once.
    mutating func sharing(with index: Int) -> [Int] {
        let own = names[index] ?? []
        if let known = answers[own] { return known }
        var others: Set<Int> = []
        for name in own {
            others.formUnion(owners[name] ?? [])
            switch name {
            case .exact: if let parent = name.parent { others.formUnion(owners[.wildcard(suffix: parent)] ?? []) }
            case .wildcard(let suffix): others.formUnion(byParent[suffix] ?? [])
            }
        }
        let answer = others.sorted()
        answers[own] = answer
        return answer
    }
}

extension HostnamePattern {
    /// What follows the first label of an exact name.
    fileprivate var parent: String? {
        guard case .exact(let name) = self, let dot = name.firstIndex(of: ".") else { return nil }
        return String(name[name.index(after: dot)...])
    }
}
