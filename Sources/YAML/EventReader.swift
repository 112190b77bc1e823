internal import CYAML

/// libyaml's parser as a sequence of values. Reads from memory that outlives it.
final class EventReader {
    enum Event {
        case document
        case documentEnd
        case scalar(YAMLScalar, Properties)
        case sequence(Properties)
        case sequenceEnd
        case mapping(Properties)
        case mappingEnd
        case alias(String)
        case end
    }

    struct Properties {
        var anchor: String?
        var tag: String?
    }

    struct Mark {
        var line: Int
        var column: Int
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let file: String?

    init(_ bytes: UnsafeBufferPointer<UInt8>, file: String?) throws(YAMLProblem) {
        self.file = file
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        guard yaml_parser_initialize(parser) == 1 else { throw YAMLProblem(file: file, message: "out of memory") }
        yaml_parser_set_input_string(parser, bytes.baseAddress ?? Self.nothing, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    // Constant, one byte that nobody writes: libyaml asserts that its input is not null, even when it is empty.
    nonisolated(unsafe) private static let nothing: UnsafePointer<UInt8> = {
        let byte = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
        byte.initialize(to: 0)
        return UnsafePointer(byte)
    }()

    /// The next event and where it starts.
    func next() throws(YAMLProblem) -> (Event, Mark) {
        while true {
            var raw = yaml_event_t()
            guard yaml_parser_parse(parser, &raw) == 1 else { throw problem() }
            defer { yaml_event_delete(&raw) }
            let mark = Mark(line: Int(raw.start_mark.line) + 1, column: Int(raw.start_mark.column) + 1)
            if let event = Self.event(raw) { return (event, mark) }
        }
    }

    private static func event(_ raw: yaml_event_t) -> Event? {
        switch raw.type {
        case YAML_DOCUMENT_START_EVENT: .document
        case YAML_DOCUMENT_END_EVENT: .documentEnd
        case YAML_SCALAR_EVENT: scalar(raw.data.scalar)
        case YAML_SEQUENCE_START_EVENT:
            .sequence(properties(raw.data.sequence_start.anchor, raw.data.sequence_start.tag))
        case YAML_SEQUENCE_END_EVENT: .sequenceEnd
        case YAML_MAPPING_START_EVENT:
            .mapping(properties(raw.data.mapping_start.anchor, raw.data.mapping_start.tag))
        case YAML_MAPPING_END_EVENT: .mappingEnd
        case YAML_ALIAS_EVENT: .alias(string(raw.data.alias.anchor) ?? "")
        case YAML_STREAM_END_EVENT, YAML_NO_EVENT: .end
        default: nil
        }
    }

    private static func scalar(_ raw: yaml_event_s.__Unnamed_union_data.__Unnamed_struct_scalar) -> Event {
        let text = String(decoding: UnsafeBufferPointer(start: raw.value, count: raw.length), as: UTF8.self)
        let style: YAMLScalar.Style =
            switch raw.style {
            case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
            case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
            case YAML_LITERAL_SCALAR_STYLE: .literal
            case YAML_FOLDED_SCALAR_STYLE: .folded
            default: .plain
            }
        return .scalar(YAMLScalar(text, style: style), properties(raw.anchor, raw.tag))
    }

    private static func properties(_ anchor: UnsafeMutablePointer<UInt8>?, _ tag: UnsafeMutablePointer<UInt8>?)
        -> Properties
    {
        Properties(anchor: string(anchor), tag: string(tag))
    }

    private static func string(_ text: UnsafeMutablePointer<UInt8>?) -> String? { text.map { String(cString: $0) } }

    private func problem() -> YAMLProblem {
        let raw = parser.pointee
        var message = raw.problem.map { String(cString: $0) } ?? "cannot be read as YAML"
        if let context = raw.context.map({ String(cString: $0) }) { message = "\(message) \(context)" }
        if raw.error == YAML_READER_ERROR {
            return YAMLProblem(file: file, message: "not text: \(message) (byte \(raw.problem_offset))")
        }
        if message.contains("found character that cannot start any token") {
            message += " (a tab used for indentation, or a value that must be quoted?)"
        }
        return YAMLProblem(
            file: file, line: Int(raw.problem_mark.line) + 1, column: Int(raw.problem_mark.column) + 1,
            message: message)
    }
}
