import FoundationEssentials
import Testing

@testable import Commands

@Suite("Documented flags")
struct DocumentedFlagsTests {
    @Test("docs/reference/cli.md names every flag of run, with its default")
    func run() throws {
        let root: String = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
        let page = try String(contentsOfFile: root + "/docs/reference/cli.md", encoding: .utf8)
        for flag in CommandDescription.run.flags {
            // A value follows, or none.
            let row = page.split(separator: "\n").first {
                $0.hasPrefix("| `--\(flag.name) ") || $0.hasPrefix("| `--\(flag.name)` ")
            }
            #expect(row != nil, "\(flag.name)")
            guard let fallback = flag.fallback, !fallback.contains(" ") else { continue }
            #expect(row?.contains("| `\(fallback)` |") == true, "\(flag.name): \(fallback)")
        }
        let run = page.split(separator: "\n## ").first { $0.hasPrefix("run\n") } ?? ""
        let rows = run.split(separator: "\n").count { $0.hasPrefix("| `--") }
        #expect(rows == CommandDescription.run.flags.count)
    }
}
