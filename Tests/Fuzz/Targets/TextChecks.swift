internal import YAML

/// Without line ends and other control characters: what goes to a log or a terminal.
func isOneLine(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { scalar in
        scalar.value >= 0x20 && !(0x7f...0x9f).contains(scalar.value) && ![0x2028, 0x2029].contains(scalar.value)
    }
}

extension YAMLNode {
    /// The node's meaning, written anew: strings, words and numbers without tags, anchors and places.
    var rewritten: YAMLNode {
        switch content {
        case .sequence(let elements): YAMLNode(.sequence(elements.map(\.rewritten)))
        case .mapping(let entries):
            YAMLNode(.mapping(entries.map { YAMLEntry(key: $0.key, value: $0.value.rewritten) }))
        case .scalar:
            switch value {
            case .string(let text)?: YAMLNode(text)
            case .bool(let value)?: YAMLNode(value)
            case .integer(let value)?: YAMLNode(value)
            case .unsigned(let value)?: YAMLNode(value)
            case .float(let value)?: YAMLNode(value)
            case .null?, nil: .null
            }
        }
    }
}
