internal import Primitives

/// Cluster addresses and node ports for Services, addresses for balancers. The same seed gives the same ones.
struct NetworkPool: Sendable {
    private var nextAddress: UInt32
    private var nextPort: Int64
    private var nextBalancer: UInt32 = 0

    init(seed: UInt64) {
        nextAddress = UInt32(truncatingIfNeeded: seed) & 0xfff
        nextPort = 30000 + Int64(seed % 1000)
    }

    /// From 10.96.0.0/12.
    mutating func clusterAddress(isV6: Bool = false) -> String {
        nextAddress += 1
        if isV6 { return "fd00:10:96::\(String(nextAddress & 0xffff, radix: 16))" }
        return "10.\(96 + (nextAddress >> 16) & 15).\((nextAddress >> 8) & 255).\(nextAddress & 255)"
    }

    /// From 30000–32767.
    mutating func nodePort() -> Int64 {
        nextPort = nextPort >= 32767 ? 30000 : nextPort + 1
        return nextPort
    }

    /// From a range in 127.0.0.0/8 that tests can listen on.
    mutating func balancerAddress(in base: IPAddress) -> String {
        guard case .v4(let first) = base else { return base.description }
        nextBalancer += 1
        return IPAddress.v4(first + nextBalancer).description
    }
}
