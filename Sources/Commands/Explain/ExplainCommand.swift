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
        guard let path = options.inspected.manifests else {
            throw StartFailure("sluice explain: --manifests is required")
        }
        let inspected: Inspected
        do {
            inspected = try Inspected(manifests: [path], options.inspected, asOf: asOf)
        } catch {
            throw StartFailure("sluice explain: \(error)")
        }
        explanation = .of(kind: options.kind, namespace: options.namespace, name: options.name, in: inspected)
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
        guard let path = options.inspected.manifests else {
            throw StartFailure("sluice trace: --manifests is required")
        }
        let inspected: Inspected
        do {
            inspected = try Inspected(manifests: [path], options.inspected, asOf: asOf)
        } catch {
            throw StartFailure("sluice trace: \(error)")
        }
        answer = .of(
            TraceQuestion(
                port: options.port, serverName: options.serverName,
                client: options.client.flatMap { IPAddress($0) }, alpn: options.alpn,
                address: options.address.flatMap { IPAddress($0) }), in: inspected)
        let output =
            switch options.inspected.output {
            case .text: answer.text
            case .json, .yaml: try encoded(answer, options.inspected.output, "trace")
            }
        return (output, answer.isRefused ? 1 : 0)
    }
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
