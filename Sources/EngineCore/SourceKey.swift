public import EngineModel
public import Primitives

/// An address cut to the bits that make a source: whose connections are counted together.
public struct SourceKey: Hashable, Sendable {
    // The block's first address as 128 bits, an IPv4 one as ::ffff:a.b.c.d. No IPv6 source gets there: mapped addresses
    // count as their IPv4 ones, and cutting only clears bits.
    let high: UInt64
    let low: UInt64

    /// The source of an address; an IPv4-mapped IPv6 address is that of its IPv4 one.
    public init(_ address: IPAddress, _ prefix: SourcePrefix) {
        let address = address.unmapped
        switch address.masked(to: address.isV4 ? min(max(prefix.v4, 0), 32) : min(max(prefix.v6, 0), 128)) {
        case .v4(let value): (high, low) = (0, 0xffff_0000_0000 | UInt64(value))
        case .v6(let high, let low): (self.high, self.low) = (high, low)
        }
    }

    init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }
}
