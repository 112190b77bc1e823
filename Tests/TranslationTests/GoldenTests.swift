import EngineModel
import FoundationEssentials
import Primitives
import Testing
import Translation

/// Manifests in, configuration and statuses out: a folder per case. `SLUICE_UPDATE_GOLDEN=1 swift test --filter
/// TranslationTests` writes the answers anew; they are to be read before they are committed.
@Suite("Golden translations")
struct GoldenTests {
    @Test("there are as many cases as there should be")
    func count() throws {
        #expect(try GoldenCase.all().count >= 60)
    }

    @Test("manifests give the expected configuration and statuses", arguments: try GoldenCase.all())
    func matches(golden: GoldenCase) throws {
        let input = try GoldenInput(parsing: try golden.read("in.yaml"), file: golden.name)
        let result = translate(input.snapshot, options: input.options)
        let text = try goldenText(result, try composed(result, input.surroundings))
        if ProcessInfo.processInfo.environment["SLUICE_UPDATE_GOLDEN"] == "1" {
            try golden.write("out.yaml", text)
        } else {
            let expected = try golden.read("out.yaml")
            #expect(text == expected, "\(firstDifference(expected, text))")
        }
    }

    private func composed(_ result: TranslationResult, _ surroundings: GoldenInput.Surroundings) throws -> StatusReport
    {
        guard let answers = surroundings.acknowledgement else { return result.statuses }
        var bindings: [Binding: BindingState] = [:]
        for (place, answer) in answers { bindings[try binding(place)] = try bindingState(answer) }
        return compose(
            result.statuses, Acknowledgement(generation: 1, bindings: bindings),
            addresses: (surroundings.localAddresses ?? ["192.0.2.1"]).compactMap { IPAddress($0) })
    }

    private func binding(_ text: String) throws -> Binding {
        if text.hasPrefix("*:") { return Binding(port: try #require(UInt16(text.dropFirst(2)))) }
        let address = try #require(SocketAddress(text))
        return Binding(address: address.ip, port: address.port)
    }

    private func firstDifference(_ expected: String, _ found: String) -> String {
        let old = expected.split(separator: "\n", omittingEmptySubsequences: false)
        let new = found.split(separator: "\n", omittingEmptySubsequences: false)
        let index =
            zip(old, new).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(old.count, new.count)
        let was = index < old.count ? old[index] : "(end)"
        let isNow = index < new.count ? new[index] : "(end)"
        return "line \(index + 1): expected '\(was)', found '\(isNow)'"
    }
}

/// Reads `bound` or `failed ERRNO MESSAGE`.
func bindingState(_ text: String) throws -> BindingState {
    if text == "bound" { return .bound }
    let words = text.split(separator: " ", maxSplits: 2)
    try #require(words.count == 3 && words[0] == "failed")
    return .failed(BindFailure(errno: try #require(Int32(words[1])), message: String(words[2])))
}

/// One folder under Golden.
struct GoldenCase: CustomTestStringConvertible, Sendable {
    let name: String
    var testDescription: String { name }

    private static let folder = String(#filePath.dropLast("GoldenTests.swift".count)) + "Golden/"

    static func all() throws -> [GoldenCase] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".") }.sorted()
            .map(GoldenCase.init)
    }

    func read(_ file: String) throws -> String {
        try String(contentsOfFile: GoldenCase.folder + name + "/" + file, encoding: .utf8)
    }

    func write(_ file: String, _ text: String) throws {
        try text.write(toFile: GoldenCase.folder + name + "/" + file, atomically: true, encoding: .utf8)
    }
}
