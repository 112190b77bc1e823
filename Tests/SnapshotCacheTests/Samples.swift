import FoundationEssentials
import Observability
import Platform
import TestSupport

@testable import SnapshotCache

/// What tests keep in caches.
enum Sample {
    static let origin = CachedCluster.Origin(
        server: "https://10.0.0.1:6443", namespace: "sluice-system", controllerName: "sluice.dev/gateway-controller")

    static func cluster(_ texts: [String: String] = ["a": #"{"metadata":{"name":"a"}}"#], asOf: Int64 = 1_700_000_000)
        -> CachedCluster
    {
        var objects: [CachedCluster.Name: ObjectText] = [:]
        for (name, text) in texts { objects[.init(namespace: "shop", name: name)] = ObjectText(Array(text.utf8)) }
        return CachedCluster(
            origin: origin,
            kinds: [
                .init(group: "gateway.networking.k8s.io", version: "v1", plural: "tcproutes", objects: objects),
                .init(
                    group: "", version: "v1", plural: "namespaces",
                    objects: [.init(namespace: "", name: "shop"): ObjectText(Array("{}".utf8))]),
                .init(group: "sluice.dev", version: "v1alpha1", plural: "backends", objects: [:]),
            ], asOf: asOf)
    }

    static func keys(_ bytes: UInt8...) throws -> CacheKeys {
        try CacheKeys(Array(bytes.map(line).joined(separator: "\n").utf8))
    }

    /// A line of a key file.
    static func line(_ byte: UInt8) -> String { Data(repeating: byte, count: 32).base64EncodedString() }

    static func now() -> Int64 { realtimeNanoseconds() / 1_000_000_000 }
}

extension CachedCluster {
    /// All there is, to be compared.
    var summary: [String] {
        var lines = ["\(origin) \(asOf)"]
        for kind in kinds {
            lines.append("\(kind.group)/\(kind.version)/\(kind.plural)")
            for (name, text) in kind.objects.sorted(by: { $0.key < $1.key }) {
                lines.append("\(name.namespace)/\(name.name) \(text.withBytes { String(decoding: $0, as: UTF8.self) })")
            }
        }
        return lines
    }
}

extension WipedBytes {
    init(_ bytes: [UInt8]) {
        self.init(count: bytes.count)
        memory.copyBytes(from: bytes)
    }

    var bytes: [UInt8] { Array(memory) }
}

/// What opening these bytes says; nil where it is believed.
func refusal(of bytes: [UInt8], keys: CacheKeys? = nil) -> CacheProblem? {
    do throws(CacheProblem) {
        _ = try CacheFile.open(WipedBytes(bytes), keys: keys)
        return nil
    } catch { return error }
}
