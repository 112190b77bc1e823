internal import KubernetesAPI
internal import Primitives

/// An address that a gateway asks for, of a type we know.
struct RequestedAddress: Hashable, CustomStringConvertible {
    /// `IPAddress` or `Hostname`.
    let type: String
    /// Empty: any of that type.
    let value: String

    var description: String { value.isEmpty ? "any \(type)" : value }

    /// Whether an assigned address is the one.
    func isMet(by address: GatewayStatusAddress) -> Bool {
        guard type == address.type else { return false }
        if value.isEmpty { return true }
        if type == "Hostname" { return value.lowercased() == address.value.lowercased() }
        guard let wanted = IPAddress(value) else { return false }
        return IPAddress(address.value)?.unmapped == wanted.unmapped
    }
}

/// The addresses a gateway asks for, in its order, and why it cannot be accepted with them.
func requestedAddresses(_ gateway: Gateway) -> ([RequestedAddress], Verdict?) {
    var requested: [RequestedAddress] = []
    var problems: [Verdict] = []
    for address in gateway.spec.addresses ?? [] {
        let (type, value) = (address.effectiveType, address.value ?? "")
        if type != "IPAddress", type != "Hostname" {
            problems.append(
                Verdict(
                    .unsupportedAddress,
                    "addresses of type \(type) are not supported:\(value.isEmpty ? "" : " \(value)") (supported: "
                        + "IPAddress, Hostname)"))
        } else if type == "IPAddress", !value.isEmpty, IPAddress(value) == nil {
            problems.append(Verdict(.unsupportedAddress, "'\(value)' is not an IP address"))
        } else {
            requested.append(RequestedAddress(type: type, value: value))
        }
    }
    return (requested, problems.merged)
}
