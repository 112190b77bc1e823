import HTTPClient
import KubernetesAPI
import KubernetesClient
import Platform

@testable import Controller

/// A client that counts the writes which left an object as it was: of statuses those whose answer has the very resource
/// version that they were based on, of Services those that apply again what was applied before.
final class WatchedWrites: APIServer {
    private let client: any APIServer
    private let found = Locked<[String]>([])
    /// What was applied last, by path.
    private let last = Locked<[String: String]>([:])

    init(_ client: any APIServer) { self.client = client }

    /// Paths and bodies of such writes.
    var unchanged: [String] { found.withLock { $0 } }

    func send(
        _ request: APIRequest, lane: Lane, completion: @escaping @Sendable (Result<APIResponse, APIError>) -> Void
    ) {
        let (found, last) = (found, last)
        client.send(request, lane: lane) { answer in
            if request.method == .patch, request.path.hasSuffix("/status"), case .success(let response) = answer {
                let base = request.body.flatMap { JSONValue(bytes: $0) }?["metadata"]?["resourceVersion"]
                let version = JSONValue(bytes: response.body)?["metadata"]?["resourceVersion"]
                if base == version {
                    let text = String(decoding: request.body ?? [], as: UTF8.self)
                    found.withLock { $0.append("\(request.path) \(text)") }
                }
            }
            // What was deleted is made anew, the same or not.
            if request.method == .delete { last.withLock { $0[request.path] = nil } }
            if request.contentType == "application/apply-patch+yaml", case .success = answer {
                let text = "\(request.path) \(String(decoding: request.body ?? [], as: UTF8.self))"
                let isRepeated = last.withLock { last in
                    defer { last[request.path] = text }
                    return last[request.path] == text
                }
                if isRepeated { found.withLock { $0.append(text) } }
            }
            completion(answer)
        }
    }

    func stream(_ request: APIRequest, isFresh: Bool, onActivity: @escaping @Sendable () -> Void) -> any HTTPStream {
        client.stream(request, isFresh: isFresh, onActivity: onActivity)
    }
}
