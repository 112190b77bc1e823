/// What is wrong with a document, in words for its author.
public struct YAMLProblem: Error, Hashable, Sendable, CustomStringConvertible {
    public var file: String?
    /// 1-based; 0 when it is not known.
    public var line: Int
    /// 1-based; 0 when it is not known.
    public var column: Int
    /// A path such as `spec.listeners[0].port`; empty for the document as a whole.
    public var field: String
    /// One line without file, line and field.
    public var message: String

    public init(file: String? = nil, line: Int = 0, column: Int = 0, field: String = "", message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.field = field
        self.message = message
    }

    /// `gateway.yaml:12: spec.listeners[0].port: expected an integer, found "abc"`
    public var description: String {
        var parts: [String] = []
        switch (file, line > 0) {
        case (let file?, true): parts.append("\(file):\(line)")
        case (let file?, false): parts.append(file)
        case (nil, true): parts.append("line \(line)")
        case (nil, false): break
        }
        if !field.isEmpty { parts.append(field) }
        parts.append(message)
        return parts.joined(separator: ": ")
    }
}
