/// What a family of metrics is. All there are stand in ``all``: what is exposed and docs/reference/metrics.md are both made of
/// them, the page by `scripts/reference`, which reads these files.
public struct MetricDescriptor: Hashable, Sendable {
    /// Raw values are Prometheus' words.
    public enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    /// Whom the series of a family are of: labels that come first, in this order.
    public enum Scope: Hashable, Sendable {
        case none
        case listener
        /// A route at one listener.
        case route
        /// The one or the other, as what acts belongs to either.
        case listenerOrRoute
        case backend

        /// The labels; of ``listenerOrRoute`` those that both have.
        public var labels: [String] {
            let listener = ["gateway_namespace", "gateway", "listener", "port"]
            return switch self {
            case .none: []
            case .listener, .listenerOrRoute: listener
            case .route: listener + Scope.labelsOfRoutes
            case .backend: ["backend_kind", "backend_namespace", "backend", "backend_port"]
            }
        }

        fileprivate static let labelsOfRoutes = ["route_kind", "route_namespace", "route"]
    }

    /// Matches `[a-z_]+`; a counter's ends in `_total`, and only a counter's.
    public let name: String
    public let kind: Kind
    public let scope: Scope
    /// Labels after those of the scope, in their order.
    public let labels: [String]
    /// One sentence for whoever reads the exposition.
    public let help: String
    /// What the page says in place of ``help``, in Markdown: label values and what they mean. Nil: the same.
    public let page: String?

    public init(
        _ name: String, _ kind: Kind, _ scope: Scope = .none, _ labels: [String] = [], help: String,
        page: String? = nil
    ) {
        (self.name, self.kind, self.scope) = (name, kind, scope)
        (self.labels, self.help, self.page) = (labels, help, page)
    }

    /// `seconds` or `bytes`, as the name says; nil: a number of things.
    public var unit: String? {
        let name = kind == .counter && name.hasSuffix("_total") ? String(name.dropLast("_total".count)) : name
        return ["seconds", "bytes"].first { name.hasSuffix("_" + $0) }
    }

    /// Which sets of labels its series may have; a histogram's buckets have `le` besides.
    public var labelSets: [[String]] {
        guard scope == .listenerOrRoute else { return [scope.labels + labels] }
        return [scope.labels + labels, scope.labels + Scope.labelsOfRoutes + labels]
    }

    /// Every family, in the order of the page.
    public static let all: [MetricDescriptor] =
        traffic + backends + endpoints + tls + policies + cluster + configuration + process
}
