internal import TestSupport
internal import Testing

extension Process {
    @Suite("package", .timeLimit(.minutes(8)))
    struct PackageTests {
        /// `Peers/package_check.bash` says what is looked at; only a copy of this host is written to, and that needs root.
        @Test("make install and the Debian package install, run, upgrade under a connection, and go without a trace")
        func package() throws {
            let folder = try TemporaryDirectory()
            let script = "\(Installation.root)/Tests/SystemTests/Peers/package_check.bash"
            let root = Installation.isRoot ? [] : [try Installation.program("sudo"), "-n"]
            let command = root + [try Installation.program("bash"), script, try Installation.sluice(), folder.path]
            let said = try run(command, within: .seconds(400)).checked()
            #expect(said.hasSuffix("package checked\n"))
        }
    }
}
