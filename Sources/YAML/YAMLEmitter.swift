internal import CYAML

extension YAMLNode {
    /// Block-style text that ends in a newline.
    public var text: String { YAMLEmitter.text(of: [self]) }
}

/// Writes nodes as text through libyaml: two spaces of indentation, lists not indented, lines as long as they are.
public enum YAMLEmitter {
    /// One stream; documents after the first begin with `---`.
    public static func text(of documents: [YAMLNode]) -> String {
        let output = Output()
        let emitter = UnsafeMutablePointer<yaml_emitter_t>.allocate(capacity: 1)
        emitter.initialize(to: yaml_emitter_t())
        defer { emitter.deallocate() }
        guard yaml_emitter_initialize(emitter) == 1 else { return "" }
        defer { yaml_emitter_delete(emitter) }
        yaml_emitter_set_output(emitter, write, Unmanaged.passUnretained(output).toOpaque())
        yaml_emitter_set_unicode(emitter, 1)
        yaml_emitter_set_width(emitter, -1)
        withExtendedLifetime(output) { emit(documents, to: emitter) }
        return String(decoding: output.bytes, as: UTF8.self)
    }

    private final class Output {
        var bytes: [UInt8] = []
    }

    private static let write: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt8>?, Int) -> Int32 = {
        context, bytes, count in
        guard let context else { return 0 }
        let output = Unmanaged<Output>.fromOpaque(context).takeUnretainedValue()
        output.bytes += UnsafeBufferPointer(start: bytes, count: count)
        return 1
    }

    private static func emit(_ documents: [YAMLNode], to emitter: UnsafeMutablePointer<yaml_emitter_t>) {
        var event = yaml_event_t()
        yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING)
        yaml_emitter_emit(emitter, &event)
        for (index, document) in documents.enumerated() {
            yaml_document_start_event_initialize(&event, nil, nil, nil, index == 0 ? 1 : 0)
            yaml_emitter_emit(emitter, &event)
            emit(document, to: emitter)
            yaml_document_end_event_initialize(&event, 1)
            yaml_emitter_emit(emitter, &event)
        }
        yaml_stream_end_event_initialize(&event)
        yaml_emitter_emit(emitter, &event)
        yaml_emitter_flush(emitter)
    }

    private static func emit(_ node: YAMLNode, to emitter: UnsafeMutablePointer<yaml_emitter_t>) {
        var event = yaml_event_t()
        switch node.content {
        case .scalar(let scalar): emit(scalar, to: emitter)
        case .sequence(let elements):
            yaml_sequence_start_event_initialize(&event, nil, nil, 1, YAML_BLOCK_SEQUENCE_STYLE)
            yaml_emitter_emit(emitter, &event)
            for element in elements { emit(element, to: emitter) }
            yaml_sequence_end_event_initialize(&event)
            yaml_emitter_emit(emitter, &event)
        case .mapping(let entries):
            yaml_mapping_start_event_initialize(&event, nil, nil, 1, YAML_BLOCK_MAPPING_STYLE)
            yaml_emitter_emit(emitter, &event)
            for entry in entries {
                if case .scalar(let key) = YAMLNode(entry.key).content { emit(key, to: emitter) }
                emit(entry.value, to: emitter)
            }
            yaml_mapping_end_event_initialize(&event)
            yaml_emitter_emit(emitter, &event)
        }
    }

    private static func emit(_ scalar: YAMLScalar, to emitter: UnsafeMutablePointer<yaml_emitter_t>) {
        let style =
            switch scalar.style {
            case .plain: YAML_PLAIN_SCALAR_STYLE
            case .singleQuoted: YAML_SINGLE_QUOTED_SCALAR_STYLE
            case .doubleQuoted: YAML_DOUBLE_QUOTED_SCALAR_STYLE
            case .literal, .folded: YAML_LITERAL_SCALAR_STYLE
            }
        var event = yaml_event_t()
        // An empty plain scalar is null, but alone in a document it would be no document at all.
        var text = scalar.text.isEmpty && scalar.style == .plain ? "null" : scalar.text
        text.withUTF8 { bytes in
            var nothing: UInt8 = 0
            withUnsafePointer(to: &nothing) { nothing in
                _ = yaml_scalar_event_initialize(
                    &event, nil, nil, bytes.baseAddress ?? nothing, Int32(clamping: bytes.count), 1, 1, style)
            }
        }
        yaml_emitter_emit(emitter, &event)
    }
}
