internal import FoundationEssentials
internal import KubernetesAPI

/// Which versions of which kinds a server has, of the groups that were asked about.
struct ServedVersions: Hashable, Sendable {
    /// By `plural.group`; only versions that can be listed and watched.
    private(set) var versions: [String: [String]] = [:]

    mutating func add(group: String, version: String, plural: String, verbs: [String]) {
        guard verbs.contains("list"), verbs.contains("watch") else { return }
        versions["\(plural).\(group)", default: []].append(version)
    }

    func versions(of kind: ResourceKind) -> [String] { versions["\(kind.plural).\(kind.group)"] ?? [] }

    /// The version to read a kind in: the first of those that have what we need; nil where none is served.
    func choice(for kind: ClusterKind) -> String? {
        let served = versions(of: kind.resource)
        return kind.versions.first { served.contains($0) }
    }
}

// MARK: What servers answer

/// Aggregated discovery (apidiscovery.k8s.io/v2), or something else where the server does not know it.
struct DiscoveryAnswer: Decodable {
    var kind: String?
    var items: [Group]?

    struct Group: Decodable {
        var metadata: ReceivedMetadata
        var versions: [Version]?
    }

    struct Version: Decodable {
        var version: String
        var resources: [Resource]?
    }

    struct Resource: Decodable {
        var resource: String
        var verbs: [String]?
    }

    /// Nil where the answer is another list.
    func served(groups: Set<String>) -> ServedVersions? {
        guard kind == "APIGroupDiscoveryList" else { return nil }
        var served = ServedVersions()
        for group in items ?? [] {
            guard let name = group.metadata.name, groups.contains(name) else { continue }
            for version in group.versions ?? [] {
                for resource in version.resources ?? [] {
                    served.add(
                        group: name, version: version.version, plural: resource.resource, verbs: resource.verbs ?? [])
                }
            }
        }
        return served
    }
}

/// `/apis`: the groups of a server.
struct GroupList: Decodable {
    var groups: [Group]

    struct Group: Decodable {
        var name: String
        var versions: [Version]
    }

    struct Version: Decodable { var version: String }
}

/// `/apis/GROUP/VERSION`: the kinds of one version.
struct ResourceList: Decodable {
    var resources: [Resource]

    struct Resource: Decodable {
        var name: String
        var verbs: [String]?
    }
}
