internal import Platform
internal import TestSupport
internal import Testing

extension Process {
    /// What `sluice completion` prints, loaded by the shells themselves.
    @Suite("completion", .timeLimit(.minutes(2)))
    struct CompletionTests {
        /// What a peer says of each line, by line; before it what it said on loading.
        private func complete(_ shell: String, _ arguments: [String], _ lines: [String]) throws -> [String: String] {
            let folder = try TemporaryDirectory()
            let script = try run([try Installation.sluice(), "completion", shell]).checked()
            try folder.write(script, to: "script")
            try folder.write(lines.map { $0 + "\n" }.joined(), to: "lines")
            try folder.write("", to: "buffer")
            let peer = "\(Installation.root)/Tests/SystemTests/Peers/complete.\(shell)"
            let command = ([shell] + arguments + [peer, "\(folder.path)/script", "\(folder.path)/buffer"])
                .joined(separator: " ")
            let output = try run(
                ["sh", "-c", "\(command) < \(folder.path)/lines"], environment: ["COLUMNS": "120"], within: .seconds(60)
            ).checked()
            return Dictionary(
                output.split(separator: "\n").map { line in
                    let parts = line.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
                    return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
                }, uniquingKeysWith: { $1 })
        }

        @Test("bash: commands, flags, words and paths as values, also behind an equals sign")
        func bash() throws {
            let said = try complete(
                "bash", ["--norc"],
                [
                    "sluice pro", "sluice run --exp", "sluice run --exposure ", "sluice run --exposure=S",
                    "sluice check -o ", "sluice completion ", "sluice completion bash ", "sluice help pro",
                    "sluice check /etc/hostn", "sluice run --manifests /etc/hostn", "sluice run --workers ",
                    "sluice nothing ",
                ])
            #expect(said["complete -F _sluice sluice"] != nil)
            #expect(said["sluice pro"] == "probe")
            #expect(said["sluice run --exp"] == "--exposure")
            #expect(said["sluice run --exposure "] == "Host Service")
            #expect(said["sluice run --exposure=S"] == "Service")
            #expect(said["sluice check -o "] == "json text")
            #expect(said["sluice completion "] == "bash fish zsh")
            #expect(said["sluice completion bash "] == "")
            #expect(said["sluice help pro"] == "probe")
            #expect(said["sluice check /etc/hostn"] == "/etc/hostname")
            #expect(said["sluice run --manifests /etc/hostn"] == "/etc/hostname")
            #expect(said["sluice run --workers "] == "")
            #expect(said["sluice nothing "] == "")
        }

        @Test("zsh, where keys are typed")
        func zsh() throws {
            let said = try complete(
                "zsh", ["-f"],
                [
                    "sluice ech", "sluice run --expo", "sluice run --exposure=H", "sluice run --exposure H",
                    "sluice check -o j", "sluice help prob", "sluice check /etc/hostn", "sluice completion f",
                ])
            #expect(said["sluice ech"] == "sluice echo ")
            #expect(said["sluice run --expo"] == "sluice run --exposure=")
            #expect(said["sluice run --exposure=H"] == "sluice run --exposure=Host ")
            #expect(said["sluice run --exposure H"] == "sluice run --exposure Host ")
            #expect(said["sluice check -o j"] == "sluice check -o json ")
            #expect(said["sluice help prob"] == "sluice help probe ")
            #expect(said["sluice check /etc/hostn"] == "sluice check /etc/hostname ")
            #expect(said["sluice completion f"] == "sluice completion fish ")
        }

        @Test("fish")
        func fish() throws {
            let said = try complete(
                "fish", ["--no-config"],
                [
                    "sluice ech", "sluice run --ex", "sluice run --exposure ", "sluice check -o ", "sluice help pro",
                    "sluice check /etc/hostn", "sluice completion ", "sluice completion bash ",
                    "sluice run --manifests /etc/hostn", "sluice run --workers ",
                ])
            #expect(said["sluice ech"] == "echo")
            #expect(said["sluice run --ex"] == "--exposure")
            #expect(said["sluice run --exposure "] == "Host Service")
            #expect(said["sluice check -o "] == "json text")
            #expect(said["sluice help pro"] == "probe")
            #expect(said["sluice check /etc/hostn"] == "/etc/hostname")
            #expect(said["sluice completion "] == "bash fish zsh")
            #expect(said["sluice completion bash "] == "")
            #expect(said["sluice run --manifests /etc/hostn"] == "/etc/hostname")
            #expect(said["sluice run --workers "] == "")
        }
    }
}
