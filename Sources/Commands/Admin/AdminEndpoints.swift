internal import AdminServer
internal import EngineModel

/// The paths of the admin address beside `/config` and `/paths`, put together from groups: a file each in this folder, which
/// extends this type by its list of routes. Handlers run on the server's thread, one at a time.
struct AdminEndpoints: Sendable {
    let lifecycle: Lifecycle

    /// In the order in which `/paths` shows them.
    var routes: [HTTPRoute] { [StatusPage().route] + status + explanations + connections }

    /// A path whose answer needs what `run` has made; 503 until then.
    func route(
        _ path: String, _ summary: String, method: HTTPRequest.Method = .get,
        answer: @escaping @Sendable (HTTPRequest, Lifecycle.Parts) -> HTTPResponse
    ) -> HTTPRoute {
        HTTPRoute(path, summary, method: method) { [lifecycle] request in
            guard let parts = lifecycle.current else { return .problem(503, "starting") }
            return answer(request, parts)
        }
    }
}

/// What a request carries that changes something; for those who send it, as they know of another module's requests.
let adminActionField = HTTPRequest.actionField
