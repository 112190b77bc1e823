internal import FoundationEssentials
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    /// The manifests of manifests/sidecar: their container with its own arguments, user and volumes, in a network and with
    /// mounts of its own.
    @Suite("sidecars", .timeLimit(.minutes(3)))
    struct SidecarTests {
        private let folder = Installation.root + "/manifests/sidecar"

        private func peer(_ mode: String, _ file: String) throws -> String {
            let unshare = [try Installation.program("unshare"), "--mount"]
            let arguments = try unshare + Installation.peer("sidecar_peer.py", mode)
            let command = try Surrounding.network() + arguments + [Installation.sluice(), file]
            return try run(command, environment: ["PYTHONDONTWRITEBYTECODE": "1"], within: .seconds(60)).checked()
        }

        @Test("Kubernetes' schemas of 1.29 and 1.37 accept them")
        func valid() throws {
            let files = try listDirectory(folder).filter { $0.hasSuffix(".yaml") }.map { "\(folder)/\($0)" }
            let command = try Installation.peer("sidecar_peer.py", "valid") + files
            let output = try run(command, environment: ["PYTHONDONTWRITEBYTECODE": "1"]).checked()
            for object in ["Deployment redis", "Service redis", "ConfigMap redis-sluice", "Deployment orders"] {
                #expect(output.contains(object), "\(output)")
            }
        }

        @Test(
            "ends mutual TLS for the application: starts before it, refuses strangers, takes a new Secret, ends after it",
            .enabled(if: Surrounding.allowsNetworks))
        func terminate() throws {
            let said = try peer("terminate", "\(folder)/terminate.yaml")
            for words in [
                "serves before the application starts", "mutual TLS: PONG", "without a certificate: TLSV13_ALERT",
                "another authority's: TLSV1_ALERT_UNKNOWN_CA", "the old session goes on",
                "ended after the application",
            ] { #expect(said.contains(words), "no '\(words)': \(said)") }
        }

        @Test("what inject writes serves: TLS for whoever comes", .enabled(if: Surrounding.allowsNetworks))
        func injected() throws {
            let folder = try TemporaryDirectory()
            // From standard input, over what stands there: the demand for client certificates goes.
            let script = "\"$1\" inject -f - --image sluice:1 --terminate 6380:6379 --secret redis-tls < \"$2\""
            let command = ["sh", "-c", script, "sh", try Installation.sluice(), "\(self.folder)/terminate.yaml"]
            let text = try run(command).checked()
            #expect(text.contains("image: sluice:1\n") && !text.contains("frontend:"), "\(text)")
            let said = try peer("terminate", try folder.write(text, to: "app.yaml"))
            for words in ["TLS without a certificate: PONG", "the old session goes on", "ended after the application"] {
                #expect(said.contains(words), "no '\(words)': \(said)")
            }
            let refused = try run([
                try Installation.sluice(), "inject", "-f", "/dev/null", "--image", "s", "--configmap", "c",
            ])
            #expect(refused.ending == .exited(code: 1) && refused.output == "")
            #expect(refused.errors.contains("/dev/null: there is no workload"), "\(refused.errors)")
        }

        @Test(
            "dials a server that demands a client certificate, and refuses one with another name",
            .enabled(if: Surrounding.allowsNetworks))
        func dial() throws {
            let said = try peer("dial", "\(folder)/dial.yaml")
            for words in [
                "saw the client's certificate and the name db.example.com", "Secret was swapped, and back",
                "another name is refused", "the sidecar ended",
            ] { #expect(said.contains(words), "no '\(words)': \(said)") }
        }
    }
}
