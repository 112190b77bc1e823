public import Migration

/// What `sluice convert` was asked to do.
public struct ConvertOptions: Sendable {
    /// Files and folders; `-` is standard input.
    public var paths: [String]
    public var conversion: ConversionOptions
    /// Where the manifests go; nil: to standard output.
    public var file: String?
}

enum ConvertFlags {
    static let files = Flag<[String]>(
        "filename", "FILE|DIR", help: "What to convert; may be given more than once. - is standard input.",
        allowed: "a file, a folder or -", absent: [], short: "f", isRepeatable: true,
        parse: { $0.isEmpty ? nil : $0.split(separator: "\n").map(String.init) })
    static let format = Flag<String?>(
        "from", SourceFormat.allCases.map(\.rawValue).joined(separator: "|"),
        help: "The format of what does not say it itself.",
        allowed: SourceFormat.allCases.map(\.rawValue).joined(separator: ", "),
        choices: SourceFormat.allCases.map(\.rawValue), absent: nil, fallback: "told by the content",
        parse: { SourceFormat(rawValue: $0).map(\.rawValue) })
    static let namespace = Flag<String>(
        "namespace", "NAME", help: "Of objects without a namespace, and of Gateways that serve several.",
        allowed: "a name of lower-case letters, digits and hyphens", absent: "default", fallback: "default", short: "n",
        parse: { isObjectName($0, isLabel: true) ? $0 : nil })
    static let gatewayClass = Flag<String>(
        "gateway-class", "NAME", help: "The class of the Gateways.",
        allowed: "a name of lower-case letters, digits, hyphens and dots", absent: "sluice", fallback: "sluice",
        parse: { isObjectName($0, isLabel: false) ? $0 : nil })
    static let entryPoints = Flag<[String: Int]>(
        "entry-point", "NAME=PORT",
        help: "The port of an entry point that is configured elsewhere; may be given more than once.",
        allowed: "NAME=PORT, with a port of 1 to 65535", absent: [:], isRepeatable: true, parse: entryPoints(_:))
    static let file = Flag<String?>.optionalText(
        "out", "FILE", help: "Where to write the manifests, in place of standard output.", short: "o")

    private static func entryPoints(_ text: String) -> [String: Int]? {
        var ports: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            guard let mark = line.lastIndex(of: "="), mark != line.startIndex,
                let port = Int(line[line.index(after: mark)...]), (1...65535).contains(port)
            else { return nil }
            ports[String(line[..<mark])] = port
        }
        return ports.isEmpty ? nil : ports
    }
}

extension CommandDescription {
    static let convert = CommandDescription(
        name: "convert", summary: "Make manifests of another TCP proxy's configuration",
        details: """
            Reads Traefik's IngressRouteTCP, Kong's TCPIngress, the tcp-services of ingress-nginx and haproxy-ingress, HAProxy
            Technologies' TCP, Tyk's and Gravitee's TCP APIs and configurations of ngrok's agent, and writes Gateway API objects
            and ours, with a comment for every field that has no equivalent. What keeps clients out and cannot be said here is
            never left away: its route lets nobody in, or is left out, and a comment says so. Exits with 1 where a part of an
            object was not converted or a file cannot be read. Then look through it, and run sluice check.
            """,
        examples: [
            ("from a cluster", "kubectl get ingressroutetcps,middlewaretcps -A -o yaml | sluice convert -f -"),
            (
                "files, with ports that Traefik has elsewhere",
                "sluice convert -f routes/ --entry-point redis=6379 -o redis.yaml"
            ),
        ],
        flags: [
            ConvertFlags.files.description, ConvertFlags.format.description, ConvertFlags.namespace.description,
            ConvertFlags.gatewayClass.description, ConvertFlags.entryPoints.description, ConvertFlags.file.description,
        ],
        operands: Operands(placeholder: "FILE|DIR", isRequired: false, limit: .max))
}

extension ConvertOptions {
    init(_ arguments: ParsedArguments) throws(UsageError) {
        paths = arguments.value(ConvertFlags.files) + arguments.operands
        guard !paths.isEmpty else { throw UsageError("sluice convert: -f FILE is required; - is standard input") }
        conversion = ConversionOptions()
        conversion.format = arguments.value(ConvertFlags.format).flatMap { SourceFormat(rawValue: $0) }
        conversion.namespace = arguments.value(ConvertFlags.namespace)
        conversion.gatewayClass = arguments.value(ConvertFlags.gatewayClass)
        conversion.entryPoints = arguments.value(ConvertFlags.entryPoints)
        file = arguments.value(ConvertFlags.file)
    }
}
