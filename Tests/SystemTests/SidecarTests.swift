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
