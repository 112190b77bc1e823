public import Primitives

/// Addresses that a backend may not have, and a DNS name may not lead to. Multicast, unspecified and broadcast ones never
/// are used.
public struct RefusedAddresses: Hashable, Sendable {
    public var loopback = false
    /// Link-local ones, and with them the metadata addresses of clouds.
    public var linkLocal = false

    public init() {}

    /// What kind of address it is, where it is refused; nil: it is not.
    public func refusal(of address: IPAddress) -> String? {
        let address = address.embedded
        if address.isUnspecified || address.isThisNetwork { return "unspecified" }
        if address.isMulticast { return "multicast" }
        if address == .v4(.max) { return "broadcast" }
        if loopback, address.isLoopback { return "loopback" }
        if linkLocal, address.isLinkLocal { return "link-local" }
        if linkLocal, IPAddress.metadataServices.contains(address) { return "metadata service" }
        return nil
    }
}

extension IPAddress {
    /// Where clouds serve what a machine may know of itself, apart from 169.254.169.254: AWS, Google Cloud, Alibaba Cloud.
    fileprivate static let metadataServices = ["fd00:ec2::254", "fd20:ce::254", "100.100.100.200"].compactMap {
        IPAddress($0)
    }

    /// The IPv4 address inside an IPv4-mapped one or one of NAT64's well-known prefix (RFC 6052 §2.1), or self.
    fileprivate var embedded: IPAddress {
        if case .v6(0x0064_ff9b_0000_0000, let low) = self, low >> 32 == 0 {
            return .v4(UInt32(truncatingIfNeeded: low))
        }
        return unmapped
    }

    /// 0.0.0.0/8: a host's own addresses, to some kernels.
    fileprivate var isThisNetwork: Bool {
        if case .v4(let value) = self { value >> 24 == 0 } else { false }
    }
}
