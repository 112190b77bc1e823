/// Which release of Gateway API the cluster's CRDs are of, as their annotations say.
public struct GatewayAPIBundle: Hashable, Sendable {
    /// `gateway.networking.k8s.io/bundle-version`, such as `v1.6.1`.
    public var version: String
    /// `gateway.networking.k8s.io/channel`: `standard` or `experimental`.
    public var channel: String

    public init(version: String, channel: String) {
        self.version = version
        self.channel = channel
    }
}
