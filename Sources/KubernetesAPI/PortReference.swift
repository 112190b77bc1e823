/// A port by number or by name: Kubernetes' IntOrString where it stands for a port.
public enum PortReference: Hashable, Sendable, CustomStringConvertible {
    case number(Int)
    case name(String)

    /// The number; nil for a name.
    public var number: Int? { if case .number(let number) = self { number } else { nil } }

    public var description: String {
        switch self {
        case .number(let number): "\(number)"
        case .name(let name): name
        }
    }
}

extension PortReference: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) {
            self = .number(number)
        } else {
            self = .name(try container.decode(String.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let number): try container.encode(number)
        case .name(let name): try container.encode(name)
        }
    }
}
