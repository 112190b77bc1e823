internal import FoundationEssentials
internal import HTTPClient
internal import Observability
internal import Platform
internal import Primitives

/// Asks the admin address of a running gateway, on this host or in a cluster. Failures are one line for standard error.
final class RemoteSession: Sendable {
    /// Of the subcommand, for messages.
    private let command: String
    /// Host and port, as in a URL.
    let address: String
    private let forward: PortForward?
    private let client: HTTPClient

    /// Reaches out to nobody yet, but for a gateway in a cluster, for which it starts kubectl and waits.
    /// - Throws: where that fails, or a system's limit is met.
    convenience init(_ target: RemoteOptions.Target, command: String) throws(StartFailure) {
        var signals: (any SignalSource)?
        // Before there is another thread. Without kubectl as a child a signal ends this process as it does any.
        if case .cluster = target { signals = try? KernelSignals() }
        try self.init(target, command: command, signals: signals)
    }

    /// `signals`, `kubectl`: see ``PortForward``.
    init(
        _ target: RemoteOptions.Target, command: String, signals: (any SignalSource)?, kubectl: String = "kubectl"
    ) throws(StartFailure) {
        self.command = command
        switch target {
        case .address(let text): (address, forward) = (text, nil)
        case .cluster(let target):
            let forward = try PortForward(target, command: command, signals: signals, kubectl: kubectl)
            (address, self.forward) = (forward.address, forward)
        }
        var options = HTTPClientOptions(userAgent: "sluice/\(sluiceVersion)")
        // Not the environment's: the address is where the caller says.
        options.proxy = ""
        options.connectTimeout = .seconds(5)
        do { client = try HTTPClient(options) } catch {
            throw StartFailure("sluice \(command): cannot start: \(error)")
        }
    }

    /// Ends kubectl where it runs.
    func close() {
        client.close()
        forward?.close()
    }

    /// The answer of a path, read as JSON. Parameters with nil have no value.
    func get<Answer: Decodable>(
        _ type: Answer.Type = Answer.self, _ path: String, _ parameters: [(name: String, value: String?)] = []
    ) throws(StartFailure) -> Answer {
        try decode(type, try bytes("GET", path, parameters))
    }

    /// Has something changed, and reads the answer as JSON.
    func post<Answer: Decodable>(
        _ type: Answer.Type = Answer.self, _ path: String, _ parameters: [(name: String, value: String?)] = []
    ) throws(StartFailure) -> Answer {
        try decode(type, try bytes("POST", path, parameters))
    }

    /// The answer of a path as it is.
    func bytes(_ path: String, _ parameters: [(name: String, value: String?)] = []) throws(StartFailure) -> [UInt8] {
        try bytes("GET", path, parameters)
    }

    private func bytes(
        _ method: String, _ path: String, _ parameters: [(name: String, value: String?)]
    ) throws(StartFailure) -> [UInt8] {
        let query = parameters.map { escaped($0.name) + ($0.value.map { "=" + escaped($0) } ?? "") }
        let url = "http://\(address)\(path)" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        let isChange = method == "POST"
        let request = HTTPRequest(
            method, url, headers: isChange ? [HTTPHeader(adminActionField, command)] : [],
            body: isChange ? [] : nil)
        let response: HTTPResponse
        do throws(TransportError) { response = try client.perform(request) } catch { throw failure(error) }
        guard response.head.status == 200 else { throw failure(response, path) }
        return response.body
    }

    private func decode<Answer: Decodable>(_ type: Answer.Type, _ bytes: [UInt8]) throws(StartFailure) -> Answer {
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch {
            throw StartFailure("sluice \(command): what answers at \(address) is no sluice, or another version of it")
        }
    }

    private func failure(_ error: TransportError) -> StartFailure {
        guard error.kind == .unreachable else {
            return StartFailure("sluice \(command): \(address) does not answer: \(error)")
        }
        let hint =
            forward == nil ? "is sluice running here? --pod NAMESPACE/NAME reaches one in a cluster" : "\(error)"
        return StartFailure("sluice \(command): nothing answers at \(address): \(hint)")
    }

    /// What the server says of a request that it refused.
    private func failure(_ response: HTTPResponse, _ path: String) -> StartFailure {
        struct Problem: Decodable { var error: String }
        let problem = try? JSONDecoder().decode(Problem.self, from: Data(response.body))
        if response.head.status == 404, problem?.error == "not found" {
            return StartFailure(
                "sluice \(command): the gateway at \(address) has no \(path): it is another version of sluice")
        }
        let words = problem.map { printable($0.error, limit: 1000) } ?? "status \(response.head.status)"
        return StartFailure("sluice \(command): the gateway at \(address) says: \(words)")
    }
}

/// Percent-encoded but for what is unreserved (RFC 3986 §2.3).
private func escaped(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF")
    return text.utf8.reduce(into: "") { result, byte in
        let scalar = Unicode.Scalar(byte)
        if byte < 0x80,
            scalar.properties.isAlphabetic || scalar.properties.numericType != nil || "-._~".contains(Character(scalar))
        {
            result.unicodeScalars.append(scalar)
        } else {
            result += "%" + String(digits[Int(byte >> 4)]) + String(digits[Int(byte & 15)])
        }
    }
}
