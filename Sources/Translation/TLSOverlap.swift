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
        for index in indices {
            let own = gateway.listeners[index]
            let others = indices.filter { $0 != index }.map { gateway.listeners[$0] }
            let byCertificate = others.filter { certificatesOverlap(own, $0) }
            let byName = others.filter { hostnamesOverlap(own.hostname, $0.hostname) }
            if !byCertificate.isEmpty {
                gateway.listeners[index].overlap = Verdict(
                    .overlappingCertificates, "certificates share names with those of listener \(names(byCertificate))")
            } else if !byName.isEmpty {
                gateway.listeners[index].overlap = Verdict(
                    .overlappingHostnames, "hostnames overlap with those of listener \(names(byName))")
            }
        }
    }
}

private func names(_ listeners: [ListenerState]) -> String {
    listeners.map(\.spec.name).joined(separator: ", ")
}

private func hostnamesOverlap(_ left: HostnamePattern?, _ right: HostnamePattern?) -> Bool {
    guard let left, let right else { return true }
    return left.intersection(right) != nil
}

private func certificatesOverlap(_ left: ListenerState, _ right: ListenerState) -> Bool {
    left.certificates.contains { own in
        right.certificates.contains { other in
            own.dnsNames.contains { name in other.dnsNames.contains { coversSame(name, $0) } }
        }
    }
}

/// In a certificate a wildcard stands for exactly one label (RFC 6125).
private func coversSame(_ left: HostnamePattern, _ right: HostnamePattern) -> Bool {
    switch (left, right) {
    case (.exact(let name), .wildcard(let suffix)), (.wildcard(let suffix), .exact(let name)):
        name.split(separator: ".", maxSplits: 1).last.map { $0 == suffix && name != suffix } ?? false
    default: left == right
    }
}
