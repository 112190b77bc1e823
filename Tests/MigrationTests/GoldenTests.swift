import FoundationEssentials
import Migration
import Testing

/// Folders of `in.*` with what is made of them, `out.yaml` and `report.txt`. `SLUICE_UPDATE_GOLDEN=1` writes the answers.
@Suite("Conversions")
struct GoldenTests {
    static let folder = #filePath.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 } + "/Golden"
    static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()

    @Test("there are some for every format")
    func coverage() {
        for format in SourceFormat.allCases {
            #expect(GoldenTests.names.contains { $0.hasPrefix(format.rawValue) }, "\(format.rawValue)")
        }
    }

    @Test("each input gives the objects and comments that are expected of it", arguments: names)
    func golden(name: String) throws {
        let conversion = convert([try Fixture(name).input], options: Fixture.options)
        let report =
            "converted \(conversion.converted), fields without equivalent \(conversion.withoutEquivalent)\n"
            + (conversion.failures + conversion.problems).map { $0 + "\n" }.joined()
        try compare(conversion.text, name, "out.yaml")
        try compare(report, name, "report.txt")
    }

    private func compare(_ text: String, _ name: String, _ file: String) throws {
        let path = "\(GoldenTests.folder)/\(name)/\(file)"
        if ProcessInfo.processInfo.environment["SLUICE_UPDATE_GOLDEN"] == "1" {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text, "\(name)/\(file)")
    }
}

/// What is converted in tests.
struct Fixture {
    let input: ConversionInput

    init(_ name: String) throws {
        let folder = "\(GoldenTests.folder)/\(name)"
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("in.") }
        let file = try #require(files.first, "\(name)")
        let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
        input = ConversionInput(name: file, text: Array(text.utf8))
    }

    static var options: ConversionOptions {
        var options = ConversionOptions()
        options.entryPoints = ["tls-in": 8443]
        return options
    }
}
