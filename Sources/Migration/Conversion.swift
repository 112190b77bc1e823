internal import YAML

/// What is read.
public enum SourceFormat: String, CaseIterable, Sendable {
    case traefik, kong, ingressNginx = "ingress-nginx", haproxy, haproxyIngress = "haproxy-ingress", tyk, gravitee,
        ngrok
}

/// A text that is to be converted.
public struct ConversionInput: Sendable {
    /// As messages name it: a path, or words for standard input.
    public var name: String
    /// YAML or JSON, any number of documents.
    public var text: [UInt8]

    public init(name: String, text: [UInt8]) { (self.name, self.text) = (name, text) }
}

public struct ConversionOptions: Sendable {
    /// The format of everything whose content does not say it; nil to find out.
    public var format: SourceFormat?
    /// Of objects without a namespace, and of Gateways for several namespaces.
    public var namespace = "default"
    public var gatewayClass = "sluice"
    /// Ports of entry points that another product's own configuration names.
    public var entryPoints: [String: Int] = [:]

    public init() {}
}

/// What came of a conversion.
public struct Conversion: Sendable {
    /// Manifests with comments.
    public internal(set) var text: String
    /// Objects read of which everything that serves was converted.
    public internal(set) var converted: Int
    /// Fields that were not, each with a comment in the text.
    public internal(set) var withoutEquivalent: Int
    /// What could not be converted as a whole: one line for each part of an object, with the object, its file and line.
    public internal(set) var failures: [String]
    /// What could not be read: `file:line: message`.
    public internal(set) var problems: [String]

    /// Whether all that was read serves again.
    public var isComplete: Bool { failures.isEmpty && problems.isEmpty }
}

/// Converts other products' configurations to Gateway API objects and ours. Equal inputs give equal texts.
public func convert(_ inputs: [ConversionInput], options: ConversionOptions = ConversionOptions()) -> Conversion {
    var reading = InputReading(options: options)
    for input in inputs { reading.read(input) }
    reading.finish()
    let context = ConversionContext(options: options, services: reading.services, helpers: reading.helpers)
    var entries: [Entry] = []
    for format in SourceFormat.allCases {
        guard let objects = reading.objects[format] else { continue }
        let reader = format.reader
        entries += reader.entries(of: objects, in: context).map { $0.labelled() }
        for object in objects { object.sweep(reader.reasons(for: object)) }
    }
    let writer = DocumentWriter(
        Assembler(entries, namespace: options.namespace), gatewayClass: options.gatewayClass)
    return Report(writer: writer, reading: reading, inputs: inputs.map(\.name)).conversion
}

/// One of the formats.
protocol FormatReader {
    /// What the objects want served. What cannot be converted is said in their ledgers.
    static func entries(of objects: [SourceObject], in context: ConversionContext) -> [Entry]
    static func reasons(for object: SourceObject) -> Reasons
}

/// What all formats may look up.
struct ConversionContext {
    let options: ConversionOptions
    /// Ports of Services, by their names.
    let services: [ObjectName: [String: Int]]
    /// Objects that others refer to, such as plugins.
    let helpers: [SourceObject]

    /// The number of a Service's port, which is a number already or the name of one.
    func port(_ text: String, of service: ObjectName) -> Int? {
        if let number = Int(text) { return (1...65535).contains(number) ? number : nil }
        return services[service]?[text]
    }
}

extension SourceFormat {
    var reader: any FormatReader.Type {
        switch self {
        case .traefik: TraefikReader.self
        case .ingressNginx, .haproxyIngress: PortMapReader.self
        case .kong: KongReader.self
        case .haproxy: HAProxyReader.self
        case .tyk: TykReader.self
        case .gravitee: GraviteeReader.self
        case .ngrok: NgrokReader.self
        }
    }
}
