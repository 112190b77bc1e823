import KubernetesAPI
@testable import ManifestSource
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Many files at a time")
struct ManyFilesTests {
    private let folder: TemporaryDirectory
    init() throws { folder = try TemporaryDirectory() }

    /// Some files of every sort: good, broken, unknown fields, certificates, objects that are defined twice.
    private func write(_ index: Int, _ pair: (certificate: String, key: String)) throws {
        let file = "f\(10_000 + index).yaml"
        switch index % 10 {
        case 0: try folder.write(gateway("twice-\(index / 20)"), to: file)
        case 1: try folder.write("kind: [", to: file)
        case 2: try folder.write(gateway("g\(index)") + "\nnonsense: 1\n", to: file)
        case 3:
            func block(_ pem: String) -> String { pem.split(separator: "\n").map { "    \($0)\n" }.joined() }
            try folder.write(
                "apiVersion: v1\nkind: Secret\nmetadata: {name: s\(index)}\ntype: kubernetes.io/tls\nstringData:\n"
                    + "  tls.crt: |\n\(block(pair.certificate))  tls.key: |\n\(block(pair.key))", to: file)
        default: try folder.write(gateway("g\(index)", port: 1000 + index), to: file)
        }
    }

    @Test("say the same as files that are read one by one")
    func sameAsOneByOne() throws {
        let certificate = try TestPKI.makeCA().issue(dnsNames: ["a.test"])
        for index in 0..<400 { try write(index, (certificate.chainPEM, certificate.privateKeyPEM)) }
        let together = ManifestSource.load([folder.path], unknownFields: .warning, asOf: 7)
        var reading = FileReading(unknownFields: .warning)
        let tree = TreeWatch(root: folder.path, watcher: nil, scanInterval: .zero)
        let all = tree.collect(now: .now())
        #expect(all.changed.count == 400 && all.changed.count >= ParallelParsing.leastFiles)
        for file in all.changed {
            var one = TreeWatch.Changes(problems: [])
            one.changed = [file]
            reading.apply(one, of: tree, now: .now(), patience: nil)
        }
        let apart = reading.snapshot(asOf: 7).state
        #expect(together == apart)
        #expect(together.snapshot.gateways.count == 300)
        #expect(together.snapshot.secrets.count == 40)
        #expect(reading.catalog.factsComputed == 40)
        #expect(together.problems.count { $0.message.contains("already defined") } == 20)
    }
}
