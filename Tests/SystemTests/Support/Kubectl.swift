internal import FoundationEssentials
internal import TestSupport

/// kubectl with a kubeconfig of its own.
struct Kubectl: Sendable {
    let kubeconfig: String
    /// Its home: kubectl keeps what it learned of servers there.
    private let home: TemporaryDirectory

    init(kubeconfig: String) throws {
        self.kubeconfig = kubeconfig
        home = try TemporaryDirectory()
    }

    /// Runs it and returns what it printed; throws with its words where it fails.
    @discardableResult
    func callAsFunction(_ arguments: String...) throws -> String { try run(arguments).checked() }

    /// Runs it, whatever comes of it.
    func run(_ arguments: [String]) throws -> CommandResult {
        try SystemTests.run(
            [try Installation.program("kubectl")] + arguments,
            environment: ["KUBECONFIG": kubeconfig, "HOME": home.path], within: .seconds(60))
    }

    /// Applies manifests given as text.
    @discardableResult
    func apply(_ manifests: String...) throws -> String {
        let folder = try TemporaryDirectory()
        return try self("apply", "-f", try folder.write(manifests.joined(separator: "---\n"), to: "manifests.yaml"))
    }

    /// Text at a JSONPath of one object, such as `{.spec.ports[0].targetPort}`; empty where there is none.
    func value(_ path: String, of arguments: String...) throws -> String {
        try run(["get"] + arguments + ["-o", "jsonpath=\(path)"]).checked()
    }

    /// `status reason message` of one condition of an object; empty where it has none. `conditions` is where they are.
    func condition(_ type: String, of arguments: String..., at conditions: String = ".status.conditions") throws
        -> String
    {
        let path = #"{range \#(conditions)[?(@.type=="\#(type)")]}{.status} {.reason} {.message}{end}"#
        return try run(["get"] + arguments + ["-o", "jsonpath=\(path)"]).checked()
    }
}
