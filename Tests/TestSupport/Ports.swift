internal import Platform
internal import Primitives

/// Ports for listeners that cannot choose one themselves, and ports at which nobody listens. They lie below the kernel's
/// ephemeral range: no outgoing connection takes one between the look and the bind, no server of another test that asks for
/// any port gets one that is to refuse, and nobody who dials it comes from it and meets itself. None is handed out twice, nor to
/// two processes that run tests at the same time.
public enum Ports {
    private static let given = Locked<Set<UInt16>>([])
    private static let single: Range<UInt16> = 10_240..<26_000
    /// Among single ones there would soon be no row of hundreds left.
    private static let rows: Range<UInt16> = 26_000..<32_000

    /// Free a moment ago.
    public static func free() throws -> UInt16 {
        for _ in 0..<200 {
            let port = UInt16.random(in: single)
            guard given.withLock({ $0.insert(port).inserted }), try PortClaims.shared.get().take(port...port) else {
                continue
            }
            if isFree(port) { return port }
        }
        throw TestFailure("no free port found")
    }

    /// So many in a row.
    public static func freeRange(of count: Int) throws -> ClosedRange<UInt16> {
        for _ in 0..<200 {
            let first = UInt16.random(in: rows.lowerBound..<rows.upperBound - UInt16(count))
            let range = first...(first + UInt16(count) - 1)
            let isOurs = given.withLock { given in
                guard given.isDisjoint(with: range) else { return false }
                given.formUnion(range)
                return true
            }
            if isOurs, try PortClaims.shared.get().take(range), range.allSatisfy(isFree) { return range }
        }
        throw TestFailure("no \(count) free ports found")
    }

    private static func isFree(_ port: UInt16) -> Bool {
        do {
            for address in [IPAddress.anyV4, .anyV6] { _ = try StreamSocket.listen(on: SocketAddress(address, port)) }
            return true
        } catch {
            return false
        }
    }
}
