internal import Observability
internal import Primitives

// Stands in until the module Resolver has its type.

final class WatchToken: Sendable { func cancel() {} }

struct ResolvedName: Sendable {
    var addresses: [IPAddress]
    var error: String?
}

enum AddressFamilyPreference: Sendable { case ipv4, ipv6, ipv4Preferred, ipv6Preferred, ipv4AndIPv6 }

final class Resolver: Sendable {
    init(logger: Logger) {}

    func watch(
        _ name: String, family: AddressFamilyPreference, refresh: Duration,
        onChange: @escaping @Sendable (ResolvedName) -> Void
    ) -> WatchToken { WatchToken() }
}
