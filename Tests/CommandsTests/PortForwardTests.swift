import Platform
import TestSupport
import Testing

@testable import Commands

/// With programs that stand in for kubectl: they print what it prints.
@Suite("kubectl port-forward", .timeLimit(.minutes(1)))
struct PortForwardTests {
    private let target = RemoteOptions.ClusterTarget(namespace: "edge", object: "pod/sluice-0", port: 19000)

    private func script(_ lines: String, in folder: TemporaryDirectory) throws -> String {
        let path = "\(folder.path)/kubectl"
        try folder.write("#!/bin/sh\n" + lines + "\n", to: "kubectl")
        #expect(try ChildProcess(["chmod", "755", path]).wait() == .exited(code: 0))
        return path
    }

    @Test("the port that kubectl chose is used, and kubectl is ended afterwards")
    func forwards() throws {
        let folder = try TemporaryDirectory()
        let kubectl = try script(
            """
            echo "$@" > \(folder.path)/arguments
            echo $$ > \(folder.path)/pid
            echo 'Forwarding from 127.0.0.1:40123 -> 19000'
            exec sleep 1000
            """, in: folder)
        let forward = try PortForward(target, command: "status", signals: nil, kubectl: kubectl)
        #expect(forward.address == "127.0.0.1:40123")
        let arguments = String(decoding: try readFile("\(folder.path)/arguments"), as: UTF8.self)
        #expect(arguments == "port-forward --namespace edge --address 127.0.0.1 pod/sluice-0 :19000\n")
        let pid = String(decoding: try readFile("\(folder.path)/pid"), as: UTF8.self).split(separator: "\n").first ?? ""
        #expect((try? readFile("/proc/\(pid)/stat")) != nil)
        forward.close()
        #expect((try? readFile("/proc/\(pid)/stat")) == nil)
    }

    @Test("what kubectl complains of is passed on")
    func complains() throws {
        let folder = try TemporaryDirectory()
        let kubectl = try script(
            "echo 'Error from server (NotFound): pods \"sluice-0\" not found' >&2; exit 1", in: folder)
        let failure = try #require(throws: StartFailure.self) {
            try PortForward(target, command: "status", signals: nil, kubectl: kubectl)
        }
        #expect(
            failure.description
                == "sluice status: kubectl says: Error from server (NotFound): pods \"sluice-0\" not found")
        let silent = try script("exit 3", in: folder)
        let other = try #require(throws: StartFailure.self) {
            try PortForward(target, command: "status", signals: nil, kubectl: silent)
        }
        #expect(other.description == "sluice status: kubectl port-forward ended with exit code 3")
    }

    @Test("one that never listens is ended when its time is over")
    func silence() throws {
        let folder = try TemporaryDirectory()
        let kubectl = try script("echo $$ > \(folder.path)/pid; exec sleep 1000", in: folder)
        let failure = try #require(throws: StartFailure.self) {
            try PortForward(
                target, command: "status", signals: nil, kubectl: kubectl, patience: .milliseconds(300))
        }
        #expect(failure.description.contains("did not listen within"))
        let pid = (try? readFile("\(folder.path)/pid")).map { String(decoding: $0, as: UTF8.self).dropLast() } ?? "0"
        #expect(waitUntil { (try? readFile("/proc/\(pid)/stat")) == nil })
    }

    @Test("without kubectl the command to run by hand is told")
    func absent() throws {
        let failure = try #require(throws: StartFailure.self) {
            try PortForward(target, command: "status", signals: nil, kubectl: "no-such-kubectl")
        }
        #expect(
            failure.description == """
                sluice status: there is no kubectl on PATH; where there is one run: kubectl port-forward --namespace edge \
                --address 127.0.0.1 pod/sluice-0 19000:19000
                and then: sluice status --admin-address 127.0.0.1:19000
                """)
    }
}

@Suite("Output of remote commands")
struct RemotePrintingTests {
    @Test(
        "bytes and spans are short",
        arguments: [
            (0, "0"), (1023, "1023"), (1024, "1Ki"), (1536, "1.5Ki"), (10_240, "10Ki"), (1_048_575, "1Mi"),
            (23_592_960, "23Mi"),
        ] as [(UInt64, String)])
    func bytes(count: UInt64, text: String) { #expect(byteText(count) == text) }

    @Test(
        "spans have two units",
        arguments: [
            (0, "0s"), (750, "750ms"), (12_000, "12s"), (185_000, "3m5s"), (3_600_000, "1h"), (7_440_000, "2h4m"),
            (3_605_000, "1h"), (788_400_000, "9d3h"),
        ] as [(Int64, String)])
    func spans(milliseconds: Int64, text: String) { #expect(spanText(milliseconds: milliseconds) == text) }

    @Test("columns are as wide as their cells, numbers stand at the right, and nothing trails")
    func table() {
        var table = TextTable(["NAME", "N", "X"], right: [1])
        table.add(["a", "10", nil])
        table.add(["longer", "7", ""])
        #expect(table.text == "NAME     N  X\na       10  -\nlonger   7  -\n")
    }
}
