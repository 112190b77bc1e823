internal import Glibc
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    @Suite("reload", .timeLimit(.minutes(4)))
    struct ReloadTests {
        @Test(
            "200 connections with traffic and every newcomer survive 1,000 changes of other routes, in constant memory")
        func thousand() throws {
            let backend = try EchoBackend("steady")
            let (port, tlsPort, otherPort) = (try Ports.free(), try Ports.free(), try Ports.free())
            var others = OtherRoutes(steady: port, backend: backend.port, tlsPort: tlsPort, otherPort: otherPort)
            let sluice = try Sluice.ready(others.main())
            let clients = try SteadyClients(port: port, count: 200)

            let before = try sluice.metrics()
            var memory: [Int] = []
            for number in 1...1000 {
                switch others.next() {
                case .write(let file, let text): try sluice.apply(text, to: file)
                case .delete(let file): try sluice.remove(file)
                }
                if number == 10 || number == 1000 { memory.append(try sluice.residentMemory()) }
            }
            let report = try clients.expectUndisturbed()
            #expect(report.rounds > 2000 && report.new > 200, "too little traffic to prove anything: \(report)")
            #expect(Double(memory[1]) <= Double(memory[0]) * 1.1, "KiB after 10 and after 1,000 reloads: \(memory)")

            print(
                "resident KiB after 10 and after 1,000 reloads: \(memory); \(report.rounds) rounds, \(report.new) newcomers"
            )

            let metrics = try sluice.metrics()
            #expect(metrics.sum("sluice_config_reloads_total") - before.sum("sluice_config_reloads_total") >= 1000)
            #expect(metrics.sum("sluice_config_reloads_total", ["result": "failure"]) == 0)
            // One step in six touches nothing that is served.
            #expect(metrics.sum("sluice_config_generation") - before.sum("sluice_config_generation") >= 800)
            #expect(metrics.sum("sluice_config_sessions_disrupted_total") == 0)
            #expect(metrics.sum("sluice_listener_connections_rejected_total", ["listener": "steady"]) == 0)
            #expect(
                metrics.sum("sluice_tcp_connections_opened_total", ["route": "steady"]) == Double(200 + report.new))
            try sluice.stop()
        }

        @Test("a changed certificate is shown to the next handshake, and connections made before go on")
        func certificate() throws {
            let authority = try TestPKI.makeCA()
            let (old, new) = (
                try authority.issue(dnsNames: ["app.example.com"]), try authority.issue(dnsNames: ["app.example.com"])
            )
            let backend = try EchoBackend("app")
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "app", port: port, mode: .terminate, certificates: ["app"])]),
                Manifest.tlsRoute("app", to: "app", hostnames: ["app.example.com"], section: "app"),
                Manifest.service("app", at: backend.port))
            // As a volume of certificates is mounted: a folder of files that are replaced one after the other.
            try sluice.manifests.replace("secrets/default/app/tls.crt", with: old.chainPEM)
            try sluice.manifests.replace("secrets/default/app/tls.key", with: old.privateKeyPEM)

            let options = TLSClientOptions(serverName: "app.example.com", trust: authority.pem)
            _ = try sluice.program.wait(for: "the certificate") {
                try? TLSTestClient(port: port, options).peerFingerprint == old.fingerprint ? true : nil
            }
            let established = try waitForCertificate(old, port, options)
            #expect(try Greeting.receive(from: established).backend == "app")
            try established.exchange("before")
            try sluice.manifests.replace("secrets/default/app/tls.crt", with: new.chainPEM)
            try sluice.manifests.replace("secrets/default/app/tls.key", with: new.privateKeyPEM)
            let fresh = try waitForCertificate(new, port, options)
            #expect(try Greeting.receive(from: fresh).sni == nil)
            try fresh.exchange("after, on a new connection")
            try established.exchange("after, on the old one")
            #expect(established.peerFingerprint == old.fingerprint)
            #expect(sluice.logLine(["\"level\":\"error\""]) == nil)
            fresh.close()
            established.close()
            try sluice.stop()
        }

        /// Shakes hands until the certificate is the one expected. No handshake may fail meanwhile.
        private func waitForCertificate(
            _ certificate: TestCertificate, _ port: UInt16, _ options: TLSClientOptions
        ) throws -> TLSTestClient {
            var found: TLSTestClient?
            let came = try waitUntil(deadline: .seconds(5)) {
                let client = try TLSTestClient(port: port, options)
                guard client.peerFingerprint == certificate.fingerprint else { return false }
                found = client
                return true
            }
            guard came, let found else { throw TestFailure("the new certificate was not shown within 5 s") }
            return found
        }

        @Test("a manifest that is half written changes nothing until it is whole, and is named with file and line")
        func halfWritten() throws {
            let (one, two) = (try EchoBackend("one"), try EchoBackend("two"))
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "p", port: port)]),
                Manifest.service("one", at: one.port), Manifest.service("two", at: two.port))
            try sluice.apply(Manifest.tcpRoute("r", to: "one", section: "p"), to: "route.yaml")
            #expect(try Greeting.receive(from: try PlainClient(port: port)).backend == "one")

            let whole = Manifest.tcpRoute("r", to: "two", section: "p")
            let half = String(whole.prefix(whole.count - 40)) + "\"unfinished"
            try sluice.manifests.write(half, to: "route.yaml")
            try sluice.waitForLog("route.yaml", "line")
            #expect(try Greeting.receive(from: try PlainClient(port: port)).backend == "one")
            #expect(try sluice.probe("/readyz").status == 200)

            try sluice.apply(whole, to: "route.yaml")
            #expect(try Greeting.receive(from: try PlainClient(port: port)).backend == "two")
            try sluice.stop()
        }

        @Test("a mounted ConfigMap: each file is read once, and the swap of its link is followed")
        func mountedVolume() throws {
            let (one, two) = (try EchoBackend("one"), try EchoBackend("two"))
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "p", port: port)]),
                Manifest.service("one", at: one.port), Manifest.service("two", at: two.port))
            let volume = "\(sluice.manifests.path)/volume"
            for (generation, backend) in [(1, "one"), (2, "two"), (3, "one")] {
                let before = try sluice.loads
                let folder = "..2026_\(generation)"
                try sluice.manifests.write(
                    Manifest.tcpRoute("r", to: backend, section: "p"), to: "volume/\(folder)/route.yaml")
                // As the kubelet does: a new folder, then one rename of the link that the files' links go through.
                let script = """
                    cd \(volume); ln -s \(folder) ..data_tmp; mv -T ..data_tmp ..data
                    [ -e route.yaml ] || ln -s ..data/route.yaml route.yaml; rm -rf ..2026_\(generation - 1)
                    """
                _ = try run(["sh", "-ec", script]).checked()
                try sluice.waitForLoad(after: before)
                let served = try sluice.program.wait(for: "route to \(backend)") {
                    try? Greeting.receive(from: try PlainClient(port: port)).backend == backend ? true : nil
                }
                #expect(served)
            }
            #expect(sluice.logLine(["\"level\":\"error\""]) == nil)
            try sluice.stop()
        }
    }
}

/// Changes around the steady route: routes come, change and go on the Gateway's second listener; a third listener of it,
/// or a second Gateway with a listener of its own, comes and goes.
private struct OtherRoutes {
    enum Step { case write(String, String), delete(String) }
    let steady: UInt16
    let backend: UInt16
    let tlsPort: UInt16
    let otherPort: UInt16
    private var number = 0

    init(steady: UInt16, backend: UInt16, tlsPort: UInt16, otherPort: UInt16) {
        (self.steady, self.backend, self.tlsPort, self.otherPort) = (steady, backend, tlsPort, otherPort)
    }

    /// The steady route and its Gateway.
    func main(_ more: Manifest.Listener...) -> String {
        Manifest.gateway(
            [.init(name: "steady", port: steady), .init(name: "tls", port: tlsPort, mode: .passthrough)] + more)
            + Manifest.tcpRoute("steady", to: "steady", section: "steady") + Manifest.service("steady", at: backend)
    }

    mutating func next() -> Step {
        number += 1
        let round = number / 6
        let (file, name) = ("other-\(round % 5).yaml", "other-\(round % 5)")
        switch number % 6 {
        case 0:
            return .write(file, Manifest.tlsRoute(name, to: name, hostnames: ["a\(number).test"], section: "tls"))
        case 1:
            return .write(
                file,
                Manifest.tlsRoute(name, to: name, hostnames: ["b\(number).test", "*.c\(number).test"], section: "tls")
                    + Manifest.service(name, at: backend))
        case 2:
            let listener = Manifest.Listener(name: "l\(number)", port: otherPort)
            guard round.isMultiple(of: 2) else { return .write("main.yaml", main(listener)) }
            return .write(
                "gateway.yaml",
                Manifest.gateway([listener], name: "second")
                    + Manifest.tcpRoute("second", to: "steady", section: listener.name, gateway: "second"))
        case 3:
            return .write(file, Manifest.service(name, at: backend &+ 1))
        case 4:
            return round.isMultiple(of: 2) ? .delete("gateway.yaml") : .write("main.yaml", main())
        default:
            return .delete(file)
        }
    }
}
