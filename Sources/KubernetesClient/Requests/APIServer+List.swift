public import KubernetesAPI

/// Which objects a list or a watch is about.
public struct ListSelection: Hashable, Sendable {
    /// Empty: all namespaces, or a kind of cluster scope.
    public var namespace = ""
    /// Such as `metadata.name=a`.
    public var fieldSelector: String?
    public var labelSelector: String?

    public init(namespace: String = "", fieldSelector: String? = nil, labelSelector: String? = nil) {
        (self.namespace, self.fieldSelector, self.labelSelector) = (namespace, fieldSelector, labelSelector)
    }

    /// As query parameters.
    public var query: [(name: String, value: String)] {
        [("fieldSelector", fieldSelector), ("labelSelector", labelSelector)].compactMap { name, value in
            value.map { (name, $0) }
        }
    }
}

extension APIServer {
    /// All objects of a selection, page by page: what the server had at one moment. Where it forgets that moment between
    /// two pages (410), the list begins again without pages. `pageSize`: objects per answer.
    public func list<Item: Decodable & Sendable>(
        _ kind: ResourceKind, _ selection: ListSelection = ListSelection(), as type: Item.Type, pageSize: Int = 500,
        lane: Lane = .writes, retry: RetryPolicy = .standard
    ) throws(APIError) -> APIList<Item> {
        var items: [Item] = []
        var pageSize: Int? = pageSize
        var token: String?
        while true {
            let page: TypedListPage<Item>
            do throws(APIError) {
                let request = listRequest(kind, selection, limit: pageSize, continue: token)
                page = try decoded(
                    TypedListPage<Item>.self, try perform(request, lane: lane, retry: retry).body, request)
            } catch {
                guard token != nil, case .status(let status) = error, status.code == 410 else { throw error }
                (items, pageSize, token) = ([], nil, nil)
                continue
            }
            items += page.items ?? []
            token = page.metadata?.next
            if token == nil || token == "" {
                return APIList(items: items, resourceVersion: page.metadata?.resourceVersion ?? "")
            }
        }
    }

    /// The request for one page of a list.
    public func listRequest(
        _ kind: ResourceKind, _ selection: ListSelection, limit: Int?, continue token: String? = nil
    ) -> APIRequest {
        var request = APIRequest(
            .get, kind.path(namespace: selection.namespace), verb: "list", resource: kind.plural)
        request.query = selection.query
        if let limit { request.query.append(("limit", String(limit))) }
        if let token { request.query.append(("continue", token)) }
        request.timeout = .seconds(60)
        return request
    }
}

private struct TypedListPage<Item: Decodable>: Decodable {
    struct Metadata: Decodable {
        var resourceVersion: String?
        var next: String?

        enum CodingKeys: String, CodingKey {
            case resourceVersion
            case next = "continue"
        }
    }

    var metadata: Metadata?
    /// An empty list of some servers is null.
    var items: [Item]?
}
