import FoundationEssentials
import Migration
import TestSupport
import Testing

@testable import Commands

@Suite("convert")
struct ConvertCommandTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private static let root = #filePath.split(separator: "/").dropLast(2).reduce(into: "") { $0 += "/" + $1 }
    static let fixtures =
        ((try? FileManager.default.contentsOfDirectory(atPath: root + "/MigrationTests/Golden")) ?? []).sorted()

    private func convert(_ arguments: String...) throws -> ConvertCommand.Result {
        guard case .convert(let options) = Interpretation(["convert"] + arguments, environment: { _ in nil }) else {
            throw TestFailure("not understood")
        }
        return try ConvertCommand(options: options).run()
    }

    @Test("there are conversions to check")
    func fixturesExist() { #expect(Self.fixtures.count >= 8) }

    @Test(
        "what is written passes check, beside the Services, Secrets and authorities that it names", arguments: fixtures)
    func passesCheck(fixture: String) throws {
        let manifests = try String(
            contentsOfFile: "\(Self.root)/MigrationTests/Golden/\(fixture)/out.yaml", encoding: .utf8)
        try folder.write(manifests, to: "manifests.yaml")
        try folder.write(try ConvertedSurroundings(of: manifests).text, to: "surroundings.yaml")
        guard case .check(let options) = Interpretation(["check", folder.path], environment: { _ in nil }) else {
            throw TestFailure("not understood")
        }
        let (output, code) = try CheckCommand(options: options).run()
        #expect(code == 0, "\(output)")
        #expect(output.contains("all accepted"), "\(output)")
    }

    private static let map = """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: tcp-services, namespace: edge}
        data: {"6379": "cache/redis:6379"}
        """

    @Test("files and folders are read, a folder's by their endings, and the summary counts")
    func places() throws {
        try folder.write(Self.map, to: "maps/a.yml")
        try folder.write("nonsense: [", to: "maps/readme.md")
        let result = try convert("-f", folder.path + "/maps")
        #expect(result.exitCode == 0)
        #expect(result.summary == "1 object converted, 0 fields without an equivalent\n")
        #expect(result.output.contains("kind: TCPRoute\n"))
        let twice = try convert("-f", folder.path + "/maps", "-f", folder.path + "/maps/a.yml")
        #expect(twice.output.contains("maps/a.yml, \(folder.path)/maps/a.yml"))
        #expect(twice.exitCode == 1, "the port is wanted twice")
    }

    @Test("a file that cannot be read, or not to its end, is named, and the rest is converted")
    func unreadable() throws {
        try folder.write(Self.map + "\n---\nkind: [", to: "broken.yaml")
        let result = try convert("-f", folder.path + "/none.yaml", folder.path + "/broken.yaml")
        #expect(result.exitCode == 1)
        #expect(result.summary.contains("none.yaml: cannot be read: "))
        #expect(result.summary.contains("broken.yaml:7: "))
        #expect(result.output.contains("kind: TCPRoute\n"))
    }

    @Test("manifests are written to a file where one is named")
    func file() throws {
        try folder.write(Self.map, to: "a.yaml")
        let path = folder.path + "/out.yaml"
        let result = try convert("-f", folder.path + "/a.yaml", "-o", path, "-n", "infra", "--gateway-class", "edge")
        #expect(result.output.isEmpty)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains("gatewayClassName: edge\n"))
        #expect(throws: StartFailure.self) { try convert("-f", folder.path + "/a.yaml", "-o", "/none/such") }
    }

    @Test("a command line that cannot be obeyed is refused with words")
    func usage() {
        for (arguments, part) in [
            ([], "-f FILE is required"), (["-f", "x", "--from", "nginx"], "allowed: traefik, kong, ingress-nginx"),
            (["-f", "x", "--entry-point", "redis"], "NAME=PORT"), (["-f", "x", "-n", "A"], "lower-case"),
            (["-f", "x", "--entry-point", "a=1", "--entry-point", "b=0"], "1 to 65535"),
        ] {
            guard case .refuse(let line) = Interpretation(["convert"] + arguments, environment: { _ in nil }) else {
                Issue.record("\(arguments) was understood")
                continue
            }
            #expect(line.contains(part), "\(line)")
        }
    }

    @Test("flags that may be given more than once keep all of their values")
    func repeated() throws {
        let arguments = ["convert", "-f", "a", "--entry-point", "x=1", "--entry-point=y=2", "-f", "-", "b"]
        guard case .convert(let options) = Interpretation(arguments, environment: { _ in nil }) else {
            throw TestFailure("not understood")
        }
        #expect(options.paths == ["a", "-", "b"])
        #expect(options.conversion.entryPoints == ["x": 1, "y": 2])
    }
}
