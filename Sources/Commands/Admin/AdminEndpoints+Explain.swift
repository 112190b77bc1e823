internal import AdminServer
internal import Inspection
internal import Primitives

/// `/explain` and `/trace`.
extension AdminEndpoints {
    var explanations: [HTTPRoute] {
        [
            route("/explain", "why an object serves traffic, or why not: ?kind=&namespace=&name=") { request, parts in
                guard let kind = request.value("kind"), ExplainedKind(kind) != nil else {
                    return .problem(400, "kind must be one of", ["kinds": ExplainedKind.allCases.map(\.rawValue)])
                }
                guard let name = request.value("name"), !name.isEmpty else { return .problem(400, "name is missing") }
                guard var inspected = parts.inspected else { return .problem(503, "nothing has been applied yet") }
                // After the counts since the start, which it must not lag behind.
                inspected.refusals = parts.observer.refusals
                return .encoding(
                    Explanation.of(
                        kind: kind, namespace: request.value("namespace") ?? "default", name: name, in: inspected))
            },
            route("/trace", "what a connection would meet: ?port=&sni=&from=&alpn=&address=") { request, parts in
                guard let question = TraceQuestion(request) else {
                    return .problem(
                        400, "port must be 1 to 65535; from and address, where they are given, IP addresses")
                }
                guard let inspected = parts.inspected else { return .problem(503, "nothing has been applied yet") }
                return .encoding(TraceAnswer.of(question, in: inspected))
            },
        ]
    }
}

extension TraceQuestion {
    /// Nil where a parameter cannot be understood.
    fileprivate init?(_ request: HTTPRequest) {
        guard let port = request.value("port").flatMap({ UInt16($0) }), port > 0 else { return nil }
        func address(_ name: String) -> IPAddress?? {
            guard let text = request.value(name), !text.isEmpty else { return .some(nil) }
            return IPAddress(text).map { .some($0) } ?? nil
        }
        guard let client = address("from"), let own = address("address") else { return nil }
        let name = request.value("sni").flatMap { $0.isEmpty ? nil : $0 }
        let alpn = request.values("alpn").flatMap { $0.split(separator: ",").map(String.init) }
        self.init(port: port, serverName: name, client: client, alpn: alpn, address: own)
    }
}
