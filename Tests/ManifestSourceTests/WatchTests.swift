import Glibc
import KubernetesAPI
@testable import ManifestSource
import Observability
import Platform
import TestSupport
import Testing

@Suite("Watching manifests", .timeLimit(.minutes(2)))
struct WatchTests {
    private let folder: TemporaryDirectory
    init() throws { folder = try TemporaryDirectory() }

    @Test("files that come, change, move and go")
    func files() throws {
        let running = try RunningSource(folder.path)
        try running.wait("nothing") { $0.gatewayNames.isEmpty }
        try folder.write(gateway("a", port: 1), to: "a.yaml")
        try running.wait("a") { $0.port("a") == 1 }
        try folder.replace("a.yaml", with: gateway("a", port: 2))
        try running.wait("the renamed version") { $0.port("a") == 2 }
        try folder.write(gateway("a", port: 3), to: "a.yaml")
        try running.wait("the rewritten version") { $0.port("a") == 3 }
        try folder.rename("a.yaml", "b.json")
        try folder.write(gateway("c"), to: "c.yaml")
        let moved = try running.wait("c") { $0.gatewayNames == ["default/a", "default/c"] }
        #expect(moved.problems.isEmpty)
        try folder.delete("b.json")
        try running.wait("a gone") { $0.gatewayNames == ["default/c"] }
        try folder.rename("c.yaml", "c.bak")
        try running.wait("c gone") { $0.gatewayNames.isEmpty }
        try folder.link("d.yaml", to: "c.bak")
        try running.wait("c by a link") { $0.gatewayNames == ["default/c"] }
        try folder.write(gateway("e"), to: "c.bak")
        try running.wait("the link's target changed") { $0.gatewayNames == ["default/e"] }
        try #require(Glibc.link("\(folder.path)/c.bak", "\(folder.path)/f.yaml") == 0)
        try running.wait("a second name") { $0.problems.count == 1 }
    }

    @Test("folders that are made later, filled before they are seen, moved, and removed")
    func folders() throws {
        let running = try RunningSource(folder.path)
        try folder.write(gateway("a"), to: "x/y/z/a.yaml")
        try running.wait("a deep one") { $0.gatewayNames == ["default/a"] }
        try folder.write(gateway("a", port: 9), to: "x/y/z/a.yaml")
        try running.wait("its change") { $0.port("a") == 9 }
        try folder.rename("x/y", "q")
        try folder.write(gateway("b"), to: "q/z/b.yaml")
        try running.wait("the moved one's new file") { $0.gatewayNames == ["default/a", "default/b"] }
        try folder.rename("q", ".q")
        try running.wait("hidden") { $0.gatewayNames.isEmpty }
    }

    @Test("the swap of a ConfigMap's ..data is one change for all its files")
    func configMapSwap() throws {
        func version(_ name: String, port: Int) throws {
            try folder.write(gateway("a", port: port), to: "\(name)/a.yaml")
            try folder.write(gateway("b", port: port), to: "\(name)/b.yaml")
        }
        try version("..2026_1", port: 1)
        try folder.link("..data", to: "..2026_1")
        try folder.link("a.yaml", to: "..data/a.yaml")
        try folder.link("b.yaml", to: "..data/b.yaml")
        let running = try RunningSource(folder.path)
        let first = try running.wait("the first version") { $0.port("a") == 1 && $0.port("b") == 1 }
        #expect(first.problems.isEmpty)
        for round in 2...6 {
            let before = running.count
            try version("..2026_\(round)", port: round)
            try folder.link("..data_tmp", to: "..2026_\(round)")
            try folder.rename("..data_tmp", "..data")
            // The kubelet removes the old version at once; the swap alone must be enough.
            if round.isMultiple(of: 2) { try folder.removeDirectory("..2026_\(round - 1)") }
            try running.wait("version \(round)") { $0.port("a") == round && $0.port("b") == round }
            let states = running.all[before...]
            #expect(states.allSatisfy { $0.port("a") == $0.port("b") && $0.problems.isEmpty })
        }
    }

    @Test("a half-written file changes nothing until it is closed, and nothing when it is broken")
    func halfWritten() throws {
        try folder.write(gateway("a", port: 1), to: "a.yaml")
        try folder.write(gateway("b", port: 1), to: "b.yaml")
        let running = try RunningSource(folder.path)
        try running.wait("both") { $0.port("a") == 1 && $0.port("b") == 1 }
        let stream = try #require(fopen("\(folder.path)/a.yaml", "w"))
        fputs(String(gateway("a", port: 2).prefix(60)), stream)
        fflush(stream)
        let new = try #require(fopen("\(folder.path)/n.yaml", "w"))
        fputs("apiVersion: [", new)
        fflush(new)
        // Shape and other files change meanwhile.
        try folder.write(gateway("c"), to: "sub/c.yaml")
        try folder.write(gateway("b", port: 5), to: "b.yaml")
        let meanwhile = try running.wait("the others") { $0.port("b") == 5 && $0.port("c") == 80 }
        #expect(meanwhile.port("a") == 1)
        #expect(meanwhile.problems.isEmpty)
        fputs("\n  - [", stream)
        fclose(stream)
        let broken = try running.wait("the report") { !$0.problems.isEmpty }
        #expect(broken.port("a") == 1)
        #expect(broken.problems.map(\.file) == ["\(folder.path)/a.yaml"])
        #expect(broken.problems.allSatisfy { $0.line > 0 && $0.severity == .error })
        try folder.write(gateway("a", port: 7), to: "a.yaml")
        let whole = try running.wait("the whole file") { $0.port("a") == 7 }
        #expect(whole.problems.isEmpty)
        fclose(new)
        try running.wait("the other half-written file") { $0.problems.map(\.file) == ["\(folder.path)/n.yaml"] }
    }

    @Test("a file that is deleted and written anew counts once it is closed")
    func rewritten() throws {
        try folder.write(gateway("a", port: 1), to: "a.yaml")
        try folder.write(gateway("b", port: 1), to: "b.yaml")
        let running = try RunningSource(folder.path)
        try running.wait("both") { $0.port("a") == 1 && $0.port("b") == 1 }
        try folder.delete("a.yaml")
        let stream = try #require(fopen("\(folder.path)/a.yaml", "w"))
        fputs("apiVersion: [", stream)
        fflush(stream)
        try folder.write(gateway("b", port: 2), to: "b.yaml")
        let meanwhile = try running.wait("the other") { $0.port("b") == 2 }
        #expect(meanwhile.port("a") == 1)
        #expect(meanwhile.problems.isEmpty)
        rewind(stream)
        fputs(gateway("a", port: 2), stream)
        fclose(stream)
        try running.wait("the new one") { $0.port("a") == 2 && $0.problems.isEmpty }
    }

    @Test("a file that is too large keeps what it defined")
    func tooLarge() throws {
        try folder.write(gateway("a", port: 1), to: "a.yaml")
        let running = try RunningSource(folder.path)
        try running.wait("a") { $0.port("a") == 1 }
        try folder.replace("a.yaml", with: gateway("a", port: 2) + String(repeating: "#\n", count: 9 << 20))
        let large = try running.wait("the report") { !$0.problems.isEmpty }
        #expect(large.problemLines == ["\(folder.path)/a.yaml: cannot be read: File too large"])
        #expect(large.port("a") == 1)
        try folder.replace("a.yaml", with: gateway("a", port: 3))
        try running.wait("the smaller one") { $0.port("a") == 3 && $0.problems.isEmpty }
    }

    @Test("an invalid object keeps its last good version, also when it no longer says who it is, until it is removed")
    func lastGood() throws {
        try folder.write(gateway("a", port: 1) + "---\n" + gateway("b", port: 1), to: "g.yaml")
        let running = try RunningSource(folder.path)
        try running.wait("both") { $0.port("a") == 1 && $0.port("b") == 1 }
        let bad = gateway("a", port: 2).replacing("port: 2", with: "port: x")
        try folder.write(bad + "---\n" + gateway("b", port: 2), to: "g.yaml")
        let one = try running.wait("b's change") { $0.port("b") == 2 }
        #expect(one.port("a") == 1)
        #expect(one.problems.map(\.field) == ["spec.listeners[0].port"])
        try folder.write(
            gateway("a").replacing("name: a", with: "nme: a") + "---\n" + gateway("b", port: 3), to: "g.yaml")
        let two = try running.wait("b's next change") { $0.port("b") == 3 }
        #expect(two.port("a") == 1)
        #expect(two.problems.map(\.field) == ["metadata.name"])
        // Moved to another file, and broken there.
        try folder.write(bad, to: "h.yaml")
        try folder.write(gateway("b", port: 4), to: "g.yaml")
        let three = try running.wait("b's last change") { $0.port("b") == 4 }
        #expect(three.port("a") == 1)
        try folder.delete("h.yaml")
        try running.wait("a gone") { $0.gatewayNames == ["default/b"] && $0.problems.isEmpty }
    }

    @Test("a single file, replaced, removed and made again")
    func singleFile() throws {
        let path = try folder.write(gateway("a", port: 1), to: "g.yaml")
        try folder.write(gateway("other"), to: "other.yaml")
        let running = try RunningSource(path)
        try running.wait("the first") { $0.port("a") == 1 && $0.gatewayNames.count == 1 }
        try folder.replace("g.yaml", with: gateway("a", port: 2))
        try running.wait("the second") { $0.port("a") == 2 }
        try folder.write(gateway("a", port: 3), to: "g.yaml")
        try running.wait("the third") { $0.port("a") == 3 }
        try folder.delete("g.yaml")
        let gone = try running.wait("a problem") { !$0.problems.isEmpty }
        #expect(gone.problemLines == ["\(path): cannot be read: No such file or directory"])
        try folder.write(gateway("a", port: 4), to: "g.yaml")
        try running.wait("the fourth") { $0.port("a") == 4 && $0.problems.isEmpty }
    }

    @Test("a root that is a link, swapped as a whole, also above the root")
    func rootLink() throws {
        try folder.write(gateway("a", port: 1), to: "v1/manifests/a.yaml")
        try folder.write(gateway("a", port: 2), to: "v2/manifests/a.yaml")
        try folder.link("current", to: "v1")
        let running = try RunningSource("\(folder.path)/current/manifests")
        try running.wait("the first") { $0.port("a") == 1 }
        try folder.link("next", to: "v2")
        try folder.rename("next", "current")
        try running.wait("the second") { $0.port("a") == 2 }
        try folder.write(gateway("a", port: 3), to: "v2/manifests/a.yaml")
        try running.wait("a change in the second") { $0.port("a") == 3 }
    }

    @Test("a folder that is made only later")
    func lateRoot() throws {
        let running = try RunningSource("\(folder.path)/manifests")
        try running.wait("a problem") { $0.problems.count == 1 }
        try folder.write(gateway("a"), to: "manifests/a.yaml")
        try running.wait("the folder") { $0.gatewayNames == ["default/a"] && $0.problems.isEmpty }
    }

    @Test("problems and unknown kinds are logged once")
    func logging() throws {
        let log = MemoryLog()
        try folder.write("apiVersion: apps/v1\nkind: Deployment\n---\nkind: X\n", to: "d.yaml")
        let running = try RunningSource(folder.path, log: log)
        try running.wait("the first") { !$0.problems.isEmpty }
        try folder.write(gateway("a"), to: "a.yaml")
        try running.wait("the second") { !$0.gatewayNames.isEmpty }
        #expect(log.entries.filter { $0.message == "kind is not read and skipped" }.count == 1)
        let problems = log.entries.filter { $0.message == "problem in a manifest" }
        #expect(problems.map { $0.text("problem") } == ["is required"])
        #expect(problems.first?.text("file") == "\(folder.path)/d.yaml")
        #expect(problems.first?.text("line") == "4")
    }

    @Test("what changes nothing is not handed over")
    func quiet() throws {
        try folder.write(gateway("a"), to: "a.yaml")
        let running = try RunningSource(folder.path)
        try running.wait("the first") { !$0.gatewayNames.isEmpty }
        try folder.write("# a comment\n" + gateway("a"), to: "a.yaml")
        try folder.write("text", to: "notes.txt")
        try folder.write(gateway("b"), to: "b.yaml")
        try running.wait("b") { $0.gatewayNames.count == 2 }
        let objects = running.all.map(\.snapshot.gateways)
        #expect(zip(objects, objects.dropFirst()).allSatisfy { $0 != $1 })
    }
}
