internal import Platform
internal import Primitives
internal import TestSupport

/// Ports for programs that cannot choose one themselves. They lie below the kernel's ephemeral range, so that no
/// outgoing connection takes one between the look and the bind, and none is handed out twice.
enum Ports {
    private static let given = Locked<Set<UInt16>>([])

    static func free() throws -> UInt16 {
        for _ in 0..<200 {
            let port = UInt16.random(in: 10_240..<32_000)
            guard given.withLock({ $0.insert(port).inserted }) else { continue }
            if isFree(port) { return port }
        }
        throw TestFailure("no free port found")
    }

    /// So many in a row.
    static func freeRange(of count: Int) throws -> ClosedRange<UInt16> {
        for _ in 0..<200 {
            let first = UInt16.random(in: 10_240..<UInt16(32_000 - count))
            let range = first...(first + UInt16(count) - 1)
            let isOurs = given.withLock { given in
                guard given.isDisjoint(with: range) else { return false }
                given.formUnion(range)
                return true
            }
            if isOurs, range.allSatisfy(isFree) { return range }
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
