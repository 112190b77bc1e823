internal import FoundationEssentials
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    /// The root file system of the image. SLUICE_TEST_IMAGE names one that was built on Debian 13 (scripts/image --debian); without it
    /// the same script writes one from the binary under test and the libraries of this machine.
    @Suite("image", .timeLimit(.minutes(5)))
    struct ImageTests {
        private static let built = Host.environment("SLUICE_TEST_IMAGE")
        private let folder: TemporaryDirectory
        private let root: String

        init() throws {
            folder = try TemporaryDirectory()
            root = "\(folder.path)/root"
            if let built = Self.built {
                _ = try run(["cp", "--archive", built, root], within: .seconds(60)).checked()
            } else {
                let command = [
                    "\(Installation.root)/scripts/image-root", "--unpackaged", try Installation.sluice(), root,
                ]
                _ = try run(command, within: .seconds(180)).checked()
            }
        }

        private func peer() throws -> CommandResult {
            let unshare = [try Installation.program("unshare"), "--mount"]
            let arguments = try unshare + Installation.peer("image_peer.py", root) + (Self.built == nil ? [] : ["3.5"])
            return try run(
                Surrounding.network() + arguments, environment: ["PYTHONDONTWRITEBYTECODE": "1"], within: .seconds(120))
        }

        @Test(
            "serves in a read-only root as a user without rights, with nothing but what is in it; a missing library is noticed",
            .enabled(if: Surrounding.allowsNetworks && Installation.isRoot, "needs root and networks of its own"))
        func serves() throws {
            let said = try peer().checked()
            for words in [
                "as user 15480 without capabilities", "plain, and TLS by name", "TLS ended here", "an event came",
                "it ended in order",
            ] { #expect(said.contains(words), "no '\(words)': \(said)") }
            _ = try run(["sh", "-c", "rm \"$1\"/usr/lib/*/libyaml-0.so.2*", "sh", root]).checked()
            let broken = try peer()
            #expect(!broken.succeeded && broken.errors.contains("libyaml-0.so.2"), "\(broken.errors)")
        }

        @Test(
            "lists what it consists of, with licences, and has no shell; under 60 MB where Swift is linked statically")
        func contents() throws {
            let documents = "\(root)/usr/share/doc"
            let text = try readFile("\(documents)/sluice/sbom.cdx.json", limit: 4 << 20)
            let bill = try JSONDecoder().decode(Bill.self, from: Data(text))
            #expect(bill.bomFormat == "CycloneDX" && bill.metadata.component.name == "sluice")
            let names = bill.components.map(\.name)
            #expect(names.contains("swift") && names.contains("libc6") && names.contains { $0.hasPrefix("libssl3") })
            // Each package in the image, and each part of Swift's.
            let packages = try listDirectory("\(root)/var/lib/dpkg/status.d")
            #expect(packages.filter { !names.contains($0) } == [])
            #expect(names.contains("ca-certificates") && names.contains("swift-foundation"))
            for component in bill.components where !component.purl.hasPrefix("pkg:github/swiftlang/") {
                #expect(component.purl.hasPrefix("pkg:deb/") && !component.licenses.isEmpty, "\(component.name)")
                let licence = "\(documents)/\(component.name)/copyright"
                #expect(!(try readFile(licence)).isEmpty, "\(licence)")
            }
            #expect(try listDirectory("\(root)/usr/bin") == ["sluice"])
            #expect(try listDirectory("\(root)/usr/sbin") == [])
            let size = try run(["du", "--summarize", "--bytes", root]).checked().split(separator: "\t").first ?? ""
            let bytes = try #require(Int(size))
            #expect(bytes < (Self.built == nil ? 120_000_000 : 60_000_000), "\(bytes)")
        }

        @Test("the list of its parts is the same each time", .enabled(if: Self.built == nil))
        func deterministic() throws {
            let command = ["\(Installation.root)/scripts/sbom", try Installation.sluice()]
            let (first, second) = (try run(command, within: .seconds(60)), try run(command, within: .seconds(60)))
            #expect(try first.checked() == second.checked())
        }
    }
}

private struct Bill: Decodable {
    struct Licence: Decodable {}
    struct Component: Decodable {
        var name: String
        var purl: String
        var licenses: [Licence]
    }
    struct Metadata: Decodable {
        struct Application: Decodable { var name: String }
        var component: Application
    }
    var bomFormat: String
    var metadata: Metadata
    var components: [Component]
}
