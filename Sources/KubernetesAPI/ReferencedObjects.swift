/// The Secrets and ConfigMaps that objects of ours refer to: only these are fetched and watched.
public struct ReferencedObjects: Hashable, Sendable {
    public var secrets: Set<ObjectKey> = []
    public var configMaps: Set<ObjectKey> = []

    public init() {}
}
