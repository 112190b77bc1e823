import FoundationEssentials
import Testing
import Translation

/// docs/conformance.md against the tests it names.
@Suite("Page of conformance")
struct ConformancePageTests {
    private static let root = String(#filePath.dropLast("Tests/TranslationTests/ConformancePageTests.swift".count))

    private let page: String
    /// Rows of all tables by section: what stands first, and what stands for it.
    private let rows: [(section: String, name: String, ours: String)]

    init() throws {
        page = try String(contentsOfFile: Self.root + "docs/conformance.md", encoding: .utf8)
        var section = ""
        var rows: [(section: String, name: String, ours: String)] = []
        for line in page.split(separator: "\n") {
            if line.hasPrefix("## ") { section = String(line.dropFirst(3)) }
            guard line.hasPrefix("| ") else { continue }
            let cells = line.split(separator: "|").map { String($0.trimmingPrefix(" ")) }
            try #require(cells.count == 2, "\(line)")
            let name = String(cells[0].prefix { $0 != " " })
            if !["Feature", "Upstream", "---"].contains(name) { rows.append((section, name, cells[1])) }
        }
        self.rows = rows
    }

    @Test("each row names tests that exist, or says why it does not apply")
    func testsExist() throws {
        let titles = try Titles(under: Self.root + "Tests")
        #expect(rows.count > 70)
        for row in rows {
            let names = quoted(in: row.ours)
            #expect(!names.isEmpty || row.ours.hasPrefix("does not apply: "), "\(row.name)")
            for name in names { #expect(exists(name, titles), "\(row.name): \(name) does not exist") }
        }
        for name in quoted(in: page) where name.hasPrefix("golden/") && name != "golden/x" {
            #expect(exists(name, titles), "\(name) does not exist")
        }
    }

    @Test("each case of ours stands in a row of its own name, once")
    func casesAreListed() throws {
        let listed = rows.filter { $0.section != "Features" }.map(\.name)
        #expect(Set(listed).count == listed.count)
        for conformance in try ConformanceCase.all() {
            let row = rows.first { $0.section != "Features" && $0.name == conformance.name }
            #expect(row?.ours.hasPrefix("`\(conformance.name).yaml`") == true, "\(conformance.name)")
        }
    }

    @Test("the features are those that a GatewayClass claims, sorted")
    func features() {
        #expect(rows.filter { $0.section == "Features" }.map(\.name) == GatewayFeatures.names)
        #expect(GatewayFeatures.names == GatewayFeatures.names.sorted())
    }

    private func quoted(in text: String) -> [String] {
        text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .compactMap { $0.offset % 2 == 1 ? String($0.element) : nil }
    }

    private func exists(_ name: String, _ titles: Titles) -> Bool {
        let folder = Self.root + "Tests/TranslationTests/"
        if name.hasSuffix(".yaml") { return FileManager.default.fileExists(atPath: "\(folder)Conformance/\(name)") }
        if name.hasPrefix("golden/") {
            return FileManager.default.fileExists(atPath: "\(folder)Golden/\(name.dropFirst(7))/in.yaml")
        }
        return titles.contain(name)
    }
}

/// The titles of suites and tests in a folder of sources.
private struct Titles {
    private var files: [String] = []

    init(under folder: String) throws {
        for path in try FileManager.default.subpathsOfDirectory(atPath: folder) where path.hasSuffix(".swift") {
            files.append(try String(contentsOfFile: "\(folder)/\(path)", encoding: .utf8))
        }
    }

    /// Whether one file has both the suite and the test of `SUITE: TITLE`.
    func contain(_ name: String) -> Bool {
        guard let separator = name.firstRange(of: ": ") else { return false }
        let suite = "@Suite(\"\(name[..<separator.lowerBound])\""
        let title = "\"\(name[separator.upperBound...])\""
        return files.contains { $0.contains(suite) && $0.contains(title) }
    }
}
