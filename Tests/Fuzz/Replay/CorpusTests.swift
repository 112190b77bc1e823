import FoundationEssentials
import TestSupport
import Testing

/// Every input that was kept: seeds, which real programs made, and what was found once.
@Suite("Corpora of the fuzzers", .timeLimit(.minutes(2)))
struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Corpora")

    private func inputs(_ target: FuzzTarget, _ part: String) throws -> [(name: String, bytes: [UInt8])] {
        let folder = CorpusTests.folder.appending(path: target.name).appending(path: part)
        guard FileManager.default.fileExists(atPath: folder.path()) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder.path()).sorted().map { name in
            ("\(target.name)/\(part)/\(name)", Array(try Data(contentsOf: folder.appending(path: name))))
        }
    }

    @Test("each input keeps what must hold", arguments: FuzzTarget.all.map(\.name))
    func holds(name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let seeds = try inputs(target, "seeds")
        #expect(seeds.count >= 5, "too few seeds to tell anything")
        for input in try seeds + inputs(target, "regressions") {
            #expect(input.bytes.count <= target.maxLength, "\(input.name) is longer than the fuzzer reads")
            do {
                try input.bytes.withUnsafeBytes { try $0.withPrefix($0.count, target.run) }
            } catch {
                Issue.record("\(input.name): \(error)")
            }
        }
    }

    @Test("each folder belongs to a fuzzer")
    func folders() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: CorpusTests.folder.path())
        #expect(Set(names) == Set(FuzzTarget.all.map(\.name)))
    }
}
