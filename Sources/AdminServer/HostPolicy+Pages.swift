extension HostPolicy {
    /// Why a request is not answered that a page from elsewhere made a browser send; nil: none did. Such a page can read no
    /// answer, as no CORS field is sent; this keeps its requests from having effects as well. Programs send none of these fields.
    func refusal(of request: HTTPRequest) -> HTTPResponse? {
        guard case .loopback = self else { return nil }
        if let origin = request.origin, !isOwn(origin, of: request) {
            return .problem(403, "a page of another origin does not reach this address; open it itself")
        }
        switch request.fetchSite?.lowercased() {
        case "cross-site":
            return .problem(403, "a page of another site does not reach this address; open it itself")
        case "same-site" where request.method == .post:
            return .problem(403, "a page of another origin changes nothing at this address")
        default: return nil
        }
    }

    /// Whether an Origin field names the host and port that the request was sent to. `null` does not.
    private func isOwn(_ origin: String, of request: HTTPRequest) -> Bool {
        guard let scheme = ["http://", "https://"].first(where: { origin.lowercased().hasPrefix($0) }) else {
            return false
        }
        let authority = String(origin.dropFirst(scheme.count))
        return admits(authority) && authority.lowercased() == request.host?.lowercased()
    }
}
