internal import Controller
internal import FoundationEssentials
internal import Inspection
internal import Primitives
internal import YAML

/// `sluice explain`: the chain from the Gateway to the endpoints, link by link.
public struct ExplainCommand: Sendable {
    private let options: ExplainOptions

    public init(options: ExplainOptions) { self.options = options }

    /// What to print, and the exit code: 1 where a link is broken. `asOf`: seconds since 1970, of manifests; nil: now.
    public func run(asOf: Int64? = nil) throws(StartFailure) -> (output: String, exitCode: Int32) {
        let explanation: Explanation
        if let inspected = try options.inspected.manifests(asOf: asOf, command: "explain") {
            explanation = .of(kind: options.kind, namespace: options.namespace, name: options.name, in: inspected)
        } else {
            explanation = try ask(
                options.inspected.target, "explain", "/explain",
                [("kind", options.kind), ("namespace", options.namespace), ("name", options.name)])
        }
        let output =
            switch options.inspected.output {
            case .text: explanation.text
            case .json, .yaml: try encoded(explanation, options.inspected.output, "explain")
            }
        return (output, explanation.isServed ? 0 : 1)
    }
}

/// `sluice trace`: what a connection would meet that is not made.
public struct TraceCommand: Sendable {
    private let options: TraceOptions

    public init(options: TraceOptions) { self.options = options }

    /// What to print, and the exit code: 1 where the connection would be refused.
    public func run(asOf: Int64? = nil) throws(StartFailure) -> (output: String, exitCode: Int32) {
        let answer: TraceAnswer
        if let inspected = try options.inspected.manifests(asOf: asOf, command: "trace") {
            answer = .of(
                TraceQuestion(
                    port: options.port, serverName: options.serverName,
                    client: options.client.flatMap { IPAddress($0) }, alpn: options.alpn,
                    address: options.address.flatMap { IPAddress($0) }), in: inspected)
        } else {
            let given = [("sni", options.serverName), ("from", options.client), ("address", options.address)]
            answer = try ask(
                options.inspected.target, "trace", "/trace",
                [("port", "\(options.port)")] + given.compactMap { name, value in value.map { (name, $0) } }
                    + options.alpn.map { ("alpn", $0) })
        }
        let output =
            switch options.inspected.output {
            case .text: answer.text
            case .json, .yaml: try encoded(answer, options.inspected.output, "trace")
            }
        return (output, answer.isRefused ? 1 : 0)
    }
}

extension InspectionOptions {
    /// What the manifests would make of a gateway; nil where none were given.
    fileprivate func manifests(asOf: Int64?, command: String) throws(StartFailure) -> Inspected? {
        guard let manifests else { return nil }
        do throws(StartFailure) { return try Inspected(manifests: [manifests], self, asOf: asOf) } catch {
            throw StartFailure("sluice \(command): \(error)")
        }
    }
}

/// What a running gateway answers.
private func ask<Answer: Decodable>(
    _ target: RemoteOptions.Target, _ command: String, _ path: String, _ parameters: [(String, String)]
) throws(StartFailure) -> Answer {
    let session = try RemoteSession(target, command: command)
    defer { session.close() }
    return try session.get(Answer.self, path, parameters.map { (name: $0.0, value: $0.1) })
}

private func encoded(
    _ value: some Encodable, _ format: ExplainFormat, _ command: String
) throws(StartFailure) -> String {
    do {
        return format == .yaml ? try YAMLEncoder().text(value) : String(decoding: try encodeJSON(value), as: UTF8.self)
    } catch {
        throw StartFailure("sluice \(command): \(error)")
    }
}
