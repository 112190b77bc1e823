/// A block of addresses, such as `10.0.0.0/8` or `2001:db8::/32`. Bits behind the prefix are dropped.
public struct CIDR: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The block's first address. Never an IPv4-mapped one.
    public let address: IPAddress
    /// 0–32 or 0–128.
    public let prefixLength: Int

    /// Nil when the length does not fit the address, or the address is an IPv4-mapped IPv6 one.
    public init?(_ address: IPAddress, _ prefixLength: Int) {
        guard address.unmapped == address, (0...(address.isV4 ? 32 : 128)).contains(prefixLength) else { return nil }
        self.address = address.masked(to: prefixLength)
        self.prefixLength = prefixLength
    }

    /// Parses what CEL's `isCIDR` takes: no zone, no IPv4-mapped address, no leading zero in the length; host bits are
    /// allowed.
    public init?(_ text: some StringProtocol) { self.init(utf8: Array(text.utf8)[...]) }

    /// As ``init(_:)``, from the text's bytes.
    init?(utf8 text: ArraySlice<UInt8>) {
        guard let slash = text.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        let digits = text[(slash + 1)...]
        guard let address = IPAddress(utf8: text[..<slash]), (1...3).contains(digits.count),
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            digits.count == 1 || digits.first != UInt8(ascii: "0")
        else { return nil }
        self.init(address, digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) })
    }

    /// Whether the address lies in the block; an IPv4-mapped IPv6 address counts as its IPv4 one.
    public func contains(_ address: IPAddress) -> Bool {
        let address = address.unmapped
        return address.isV4 == self.address.isV4 && address.masked(to: prefixLength) == self.address
    }

    public var description: String { "\(address)/\(prefixLength)" }

    public static func < (left: CIDR, right: CIDR) -> Bool {
        (left.address, left.prefixLength) < (right.address, right.prefixLength)
    }
}

extension IPAddress {
    /// The address with all bits behind the first `length` cleared; `length` is at most 32 or 128.
    public func masked(to length: Int) -> IPAddress {
        switch self {
        case .v4(let value): return .v4(length == 0 ? 0 : value & UInt32.max << UInt32(32 - length))
        case .v6(let high, let low):
            let upper = length >= 64 ? high : length == 0 ? 0 : high & UInt64.max << UInt64(64 - length)
            let lower = length <= 64 ? 0 : low & UInt64.max << UInt64(128 - length)
            return .v6(high: upper, low: lower)
        }
    }
}
