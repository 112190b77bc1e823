internal import Inspection
internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    /// The page that the binary answers with, in Chromium. The objects and traffic that it shows are a stand-in's
    /// (Peers/page_standin.py), who can be hostile, large, or gone; or the gateway's own.
    @Suite("Status page in Chromium", .timeLimit(.minutes(5)))
    struct StatusPageTests {
        private static let checks = [
            "overview", "tree", "details", "connections", "names", "phone", "schemes", "hostile", "many", "gone",
        ]

        @Test("shows what it is told, does what is asked, and disturbs nobody's console", arguments: checks)
        func page(check: String) throws {
            let sluice = try Sluice.ready("")
            let command = try Installation.peer("page_check.py", check, "http://\(sluice.admin)/")
            let said = try run(command, within: .seconds(240)).checked()
            #expect(said.hasSuffix("ok \(check)\n"), "\(said)")
            try sluice.stop()
        }

        @Test("what the gateway itself says: a route that serves, one that cannot, and who is connected")
        func served() throws {
            let backend = try EchoBackend("one")
            let (port, broken) = (try Ports.free(), try Ports.free())
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "web", port: port), .init(name: "other", port: broken)]),
                Manifest.tcpRoute("web", to: "one", section: "web"),
                Manifest.tcpRoute("broken", to: "missing", section: "other"),
                Manifest.service("one", at: backend.port))
            let command = try Installation.peer(
                "page_live.py", "served", "http://\(sluice.admin)/", "\(port)", "\(broken)")
            let said = try run(command, within: .seconds(240)).checked()
            #expect(said.hasSuffix("ok served\n"), "\(said)")
            try sluice.stop()
        }

        @Test(
            "every set-up of examples/broken: the page names the cause that log, metrics and explain name, in their words"
        )
        func broken() throws {
            let setups = BrokenSetup.refusing + BrokenSetup.unbound
            var (scenes, running): ([BrokenScene], [Sluice]) = ([], [])
            var arguments: [String] = []
            for setup in setups {
                let scene = try BrokenScene(setup)
                let sluice = try Sluice.ready(scene.text)
                try scene.refuse()
                let words = try setup.words ?? #require(Cause.named(setup.cause)).meaning
                arguments += [setup.name, "http://\(sluice.admin)/", setup.route, setup.cause, words]
                scenes.append(scene)
                running.append(sluice)
            }
            let command = try Installation.peer("page_broken.py") + arguments
            let said = try run(command, within: .seconds(240)).checked()
            #expect(said.hasSuffix("ok \(setups.count) of examples/broken\n"), "\(said)")
            let folders = try listDirectory("\(Installation.root)/examples/broken").filter {
                !$0.contains(".") && $0 != "certificates"
            }
            #expect(folders.sorted() == setups.map(\.name).sorted())
            for sluice in running { try sluice.stop() }
        }

        @Test("five thousand routes of the gateway's own")
        func many() throws {
            let routes = (0..<5000).map {
                Manifest.tlsRoute("r\($0)", to: "one", hostnames: ["r\($0).example.com"], section: "web")
            }
            let sluice = try Sluice(
                Manifest.gateway([.init(name: "web", port: try Ports.free(), mode: .passthrough)]),
                Manifest.service("one", at: try Ports.free()), routes.joined())
            try sluice.waitUntilReady(within: .seconds(120))
            let command = try Installation.peer("page_live.py", "many", "http://\(sluice.admin)/")
            let said = try run(command, within: .seconds(150)).checked()
            #expect(said.hasSuffix("ok many\n"), "\(said)")
            try sluice.stop()
        }

        @Test("every check is run")
        func complete() throws {
            let listed = try run(try Installation.peer("page_check.py", "list"), within: .seconds(60)).checked()
            #expect(listed.split(separator: "\n").map(String.init) == Self.checks)
        }
    }
}
