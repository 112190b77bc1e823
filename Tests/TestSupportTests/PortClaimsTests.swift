import Testing

@testable import TestSupport

/// Each open file has its own locks, as each process has: two of them stand for two processes.
@Suite("Ports of several test processes", .timeLimit(.minutes(1)))
struct PortClaimsTests {
    private let folder: TemporaryDirectory
    private let path: String

    init() throws {
        folder = try TemporaryDirectory()
        path = "\(folder.path)/ports"
    }

    @Test("what one has taken no other one gets, alone or within a row, until the one has gone")
    func taken() throws {
        var one: PortClaims? = try PortClaims(path)
        let other = try PortClaims(path)
        #expect(try one?.take(20_000...20_000) == true)
        #expect(try other.take(20_000...20_000) == false)
        #expect(try other.take(19_990...20_010) == false)
        #expect(try other.take(20_001...20_010) == true)
        #expect(try one?.take(20_010...20_011) == false)
        one = nil
        #expect(try other.take(20_000...20_000) == true)
    }

    @Test("what is handed out is taken in the file that all processes share")
    func handedOut() throws {
        let (one, row) = (try Ports.free(), try Ports.freeRange(of: 20))
        let stranger = try PortClaims(PortClaims.path)
        #expect(try stranger.take(one...one) == false)
        #expect(try stranger.take(row.upperBound...row.upperBound) == false)
    }
}
