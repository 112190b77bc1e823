import Testing

@testable import Commands

@Suite("Completion")
struct CompletionTests {
    @Test("every command and every flag is in every script", arguments: CompletionShell.allCases)
    func everything(shell: CompletionShell) {
        let script = shell.script()
        for command in CommandDescription.all {
            #expect(script.contains(command.name), "\(command.name)")
            for flag in command.flags {
                let name = shell == .fish ? "-l \(flag.name) " : "--\(flag.name)"
                #expect(script.contains(name), "\(command.name) \(flag.name)")
                for choice in flag.choices { #expect(script.contains(choice), "\(flag.name) \(choice)") }
            }
        }
        #expect(script.hasSuffix("\n"))
    }

    @Test("apostrophes, brackets and colons of descriptions cannot end what they stand in")
    func quoting() {
        let flag = Flag<String>.text("x", "A:B", help: "It's [so]: \\ $(id) `id`", default: "y")
        let command = CommandDescription(
            name: "odd", summary: "Don't: $(id)", details: "", examples: [], flags: [flag.description])
        #expect(CompletionShell.zsh.script([command]).contains(#"'--x=[It'\''s \[so\]\: \\ $\(id\) `id`]:A\:B: '"#))
        #expect(CompletionShell.zsh.script([command]).contains(#"'odd:Don'\''t: $(id)'"#))
        #expect(CompletionShell.fish.script([command]).contains(#"-d 'It\'s [so]: \\ $(id) `id`'"#))
        #expect(!CompletionShell.bash.script([command]).contains("$(id)"))
    }

    @Test("flags that stand alone take no value")
    func toggles() {
        #expect(!CompletionShell.bash.script().contains("--with-client-addresses) values"))
        #expect(
            CompletionShell.zsh.script().contains(
                "'--with-client-addresses[Leave the addresses of clients in the bundle.]'"))
        #expect(CompletionShell.fish.script().contains("-l with-client-addresses -f -d "))
    }

    @Test("a shell that there is no script for is refused with those there are")
    func unknown() {
        guard case .refuse(let message) = Interpretation(["completion", "bsah"], environment: { _ in nil }) else {
            Issue.record("not refused")
            return
        }
        #expect(
            message
                == "sluice completion: there is no script for 'bsah'; did you mean 'bash'? (allowed: bash, zsh, fish)")
    }
}
