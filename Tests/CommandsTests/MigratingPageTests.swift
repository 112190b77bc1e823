import FoundationEssentials
import Migration
import TestSupport
import Testing

@testable import Commands

@Suite("docs/how-to/migrating.md")
struct MigratingPageTests {
    private static let page: String = {
        let root = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
        return (try? String(contentsOfFile: root + "/docs/how-to/migrating.md", encoding: .utf8)) ?? ""
    }()

    /// The fenced blocks of a language, in the page's order.
    private static func blocks(_ language: String) -> [String] {
        page.split(separator: "```\(language)\n").dropFirst().compactMap { part in
            part.split(separator: "\n```").first.map { String($0) + "\n" }
        }
    }

    static let ours = blocks("yaml")
    /// Other products' objects; those that convert reads.
    static let convertible = blocks("yml").filter { !$0.contains("gateway.envoyproxy.io") }

    @Test("the page has blocks of both sides")
    func coverage() {
        #expect(Self.ours.count == 5)
        #expect(Self.convertible.count == 2)
    }

    @Test("every manifest of ours passes check", arguments: ours)
    func passesCheck(manifests: String) throws {
        let folder = try TemporaryDirectory()
        try folder.write(manifests, to: "manifests.yaml")
        try folder.write(try ConvertedSurroundings(of: manifests).text, to: "surroundings.yaml")
        guard case .check(let options) = Interpretation(["check", folder.path], environment: { _ in nil }) else {
            throw TestFailure("not understood")
        }
        let (output, code) = try CheckCommand(options: options).run()
        #expect(code == 0, "\(output)")
    }

    @Test(
        "what convert makes of the other side is what the page shows, comments and layout aside", arguments: convertible
    )
    func converts(source: String) throws {
        var options = ConversionOptions()
        options.entryPoints = ["redis": 6379]
        let conversion = Migration.convert([ConversionInput(name: "page", text: Array(source.utf8))], options: options)
        #expect(conversion.isComplete, "\(conversion.failures)")
        let shown = Self.ours.map(Self.plain)
        #expect(shown.contains(Self.plain(conversion.text)), "\(conversion.text)")
    }

    /// The documents without what layout and comments make of them.
    private static func plain(_ text: String) -> [String] {
        ConvertedSurroundings.documents(of: text)
    }
}
