internal import Glibc
internal import KubernetesAPI
internal import Platform

/// A file that holds every change, as etcd holds a cluster's state while its API servers come and go: a server that was
/// killed starts again with the same objects, identifiers and versions.
final class Journal: Sendable {
    private let file: FileDescriptor

    /// Opens or makes the file.
    init(_ path: String) throws {
        let raw = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard raw >= 0 else { throw APIStatus.badRequest("\(path): \(Errno(rawValue: errno))") }
        file = FileDescriptor(owning: raw)
    }

    /// Writes one change; whole, or not at all where the process dies in it.
    func append(_ kind: ServedKind, _ path: ObjectPath, _ object: StoredObject, isDeletion: Bool) {
        let head =
            #"{"kind":"\#(kind.qualifiedPlural)","namespace":"\#(path.namespace)","name":"\#(path.name)","#
            + #""version":\#(object.version),"deleted":\#(isDeletion),"object":"#
        try? file.writeAll(Array(head.utf8) + object.bytes + Array("}\n".utf8))
    }

    /// What a file says happened, in order. A torn last line counts as not written.
    static func entries(_ path: String) throws -> [JSONValue] {
        guard access(path, F_OK) == 0 else { return [] }
        return try readFile(path, limit: 1 << 30).split(separator: 0x0a).compactMap { try? JSONText.parse(Array($0)) }
    }
}

extension ClusterState {
    /// Brings back what a journal tells, as if the changes before it had been compacted.
    mutating func restore(_ entries: [JSONValue]) throws {
        let definitions = "customresourcedefinitions.apiextensions.k8s.io"
        for key in stores.keys { stores[key]?.objects = [:] }
        for entry in entries {
            guard let plural = entry["kind"]?.text, let name = entry["name"]?.text, let object = entry["object"],
                let version = entry["version"]?.integer
            else { continue }
            let path = ObjectPath(namespace: entry["namespace"]?.text ?? "", name: name)
            let isDeleted = entry["deleted"]?.flag ?? false
            if plural == definitions {
                if isDeleted { stores[name] = nil } else { try declare(object) }
            }
            stores[plural]?.objects[path] = isDeleted ? nil : StoredObject(object, version: version)
            self.version = max(self.version, version)
        }
        for key in stores.keys {
            stores[key]?.changes = []
            stores[key]?.compacted = version
        }
        indexSlices()
        for _ in stores["services"]?.objects ?? [:] {
            _ = network.clusterAddress()
            _ = network.nodePort()
        }
    }
}
