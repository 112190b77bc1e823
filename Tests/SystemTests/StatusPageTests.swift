internal import TestSupport
internal import Testing

extension Process {
    /// The page that the binary answers with, in Chromium; the objects and traffic that it shows are a stand-in's
    /// (Peers/page_standin.py), who can be hostile, large, or gone.
    @Suite("Status page in Chromium", .timeLimit(.minutes(5)))
    struct StatusPageTests {
        private static let checks = [
            "overview", "tree", "details", "connections", "names", "phone", "schemes", "hostile", "many", "gone",
        ]

        @Test("shows what it is told, does what is asked, and disturbs nobody's console", arguments: checks)
        func page(check: String) throws {
            let sluice = try Sluice.ready("")
            let command = try Installation.peer("page_check.py", check, "http://\(sluice.admin)/")
            let said = try run(command, within: .seconds(120)).checked()
            #expect(said.hasSuffix("ok \(check)\n"), "\(said)")
            try sluice.stop()
        }

        @Test("every check is run")
        func complete() throws {
            let listed = try run(try Installation.peer("page_check.py", "list"), within: .seconds(20)).checked()
            #expect(listed.split(separator: "\n").map(String.init) == Self.checks)
        }
    }
}
