internal import Inspection
internal import Platform

/// `sluice status`: what a running gateway serves, as a tree with what is wrong.
public struct StatusCommand: Sendable {
    private let options: StatusOptions

    public init(options: StatusOptions) { self.options = options }

    /// Prints to standard output until it is done, with --watch until a signal comes.
    public func run() throws {
        let session = try RemoteSession(options.remote.target, command: "status")
        defer { session.close() }
        let isTerminal = StandardStream.output.isTerminal
        let colours = isTerminal && (Host.environment("NO_COLOR") ?? "").isEmpty
        try options.remote.show(isTerminal: isTerminal) {
            try page(try session.get(StatusTree.self, "/status"), colours: colours)
        }
    }

    /// As it is printed.
    func page(_ tree: StatusTree, colours: Bool) throws -> String {
        let tree = tree.filtered(options.filter)
        return try options.remote.output.text(tree) { StatusText(tree, isWide: $0, colours: colours).text }
    }
}
