/// The documents of one YAML or JSON text.
///
/// A stream that cannot be read to its end (`problem`) keeps the documents before the fault; a document that can be read
/// but breaks a rule (a key given twice) keeps its tree beside its problems, so that its reader may tell whose it is.
public struct YAMLStream: Sendable {
    public struct Document: Hashable, Sendable {
        public var root: YAMLNode
        public var problems: [YAMLProblem]
    }

    /// What a text may cost: it may come from anyone who can write a manifest.
    public struct Limits: Hashable, Sendable {
        /// Levels of nesting.
        public var depth = 100
        /// Nodes of the whole stream, those that aliases repeat included.
        public var nodes = 1_000_000
        /// Nodes that aliases add to the whole stream.
        public var aliasedNodes = 100_000

        public init() {}
    }

    public var documents: [Document]
    /// Why reading stopped before the end of the text; nil when it did not.
    public var problem: YAMLProblem?

    /// Parses UTF-8 or UTF-16 text (with a byte order mark). `file` is only named in problems.
    public init(parsing text: some Sequence<UInt8>, file: String? = nil, limits: Limits = Limits()) {
        let bytes = JSONEscapes.rewritten(Array(text))
        documents = []
        do throws(YAMLProblem) {
            try bytes.withUnsafeBufferPointer { (buffer) throws(YAMLProblem) in
                let events = try EventReader(buffer, file: file)
                var builder = TreeBuilder(events: events, file: file, limits: limits)
                while let document = try builder.nextDocument() { documents.append(document) }
            }
        } catch {
            problem = error
        }
    }
}
