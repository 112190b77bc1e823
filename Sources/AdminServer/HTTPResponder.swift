internal import CMicroHTTPD

/// Finds the answer to a request and hands it to the library. Belongs to the loop and its thread.
final class HTTPResponder {
    private let routes: [String: HTTPRoute]
    private let hosts: HostPolicy
    private let answerLimit: Int
    /// Of answers that the library still sends.
    private var outstandingBytes = 0

    init(routes: [HTTPRoute], hosts: HostPolicy, answerLimit: Int) {
        self.routes = Dictionary(routes.map { ($0.path, $0) }) { first, _ in first }
        (self.hosts, self.answerLimit) = (hosts, answerLimit)
    }

    /// `method` is the request's own, whatever it is.
    func respond(to request: HTTPRequest, method: String) -> HTTPResponse {
        guard hosts.admits(request.host) else {
            return .problem(421, "this address is not served under the Host name of the request; use localhost")
        }
        if let refusal = hosts.refusal(of: request) { return refusal }
        guard let route = routes[request.path] else {
            return .problem(404, "not found", ["paths": routes.keys.sorted()])
        }
        guard route.allowed.contains(method) else {
            var response = HTTPResponse.problem(405, "method not allowed", ["allowed": route.allowed])
            response.fields.append((name: "Allow", value: route.allowed.joined(separator: ", ")))
            return response
        }
        if route.method == .post, request.action?.isEmpty ?? true {
            return .problem(
                403,
                "a request that changes something needs the header field \(HTTPRequest.actionField), with any value")
        }
        let response = route.handler(request)
        guard outstandingBytes == 0 || outstandingBytes + response.body.count <= answerLimit else {
            var response = HTTPResponse.problem(503, "too many answers wait for slow clients")
            response.fields.append((name: "Retry-After", value: "1"))
            return response
        }
        return response
    }

    /// Gives the answer to the library, which sends it and closes the connection.
    func queue(_ response: HTTPResponse, on connection: OpaquePointer) -> MHD_Result {
        let body = Unmanaged.passRetained(Body(response.body, of: self))
        guard
            let answer = MHD_create_response_from_buffer_with_free_callback_cls(
                response.body.count, body.takeUnretainedValue().bytes.baseAddress,
                { body in if let body { Unmanaged<Body>.fromOpaque(body).release() } }, body.toOpaque())
        else {
            body.release()
            return .NO
        }
        defer { MHD_destroy_response(answer) }
        let fields = [
            (name: "Content-Type", value: response.contentType), (name: "X-Content-Type-Options", value: "nosniff"),
            (name: "Cache-Control", value: "no-store"), (name: "Connection", value: "close"),
        ]
        for (name, value) in fields + response.fields {
            guard MHD_add_response_header(answer, name, value) == .YES else { return .NO }
        }
        return MHD_queue_response(connection, response.status, answer)
    }

    /// The bytes of one answer, at one address until the library has sent them.
    private final class Body {
        let bytes: UnsafeMutableRawBufferPointer
        private let owner: HTTPResponder

        init(_ content: [UInt8], of owner: HTTPResponder) {
            bytes = .allocate(byteCount: max(1, content.count), alignment: 1)
            bytes.copyBytes(from: content)
            self.owner = owner
            owner.outstandingBytes += bytes.count
        }

        deinit {
            owner.outstandingBytes -= bytes.count
            bytes.deallocate()
        }
    }
}
