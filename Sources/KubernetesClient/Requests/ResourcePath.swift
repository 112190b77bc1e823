public import KubernetesAPI

extension ResourceKind {
    /// The path of a list, an object or a subresource: `/api/v1/namespaces/a/services/b`,
    /// `/apis/gateway.networking.k8s.io/v1/gatewayclasses/c/status`. `namespace`: empty for a kind of cluster scope, and
    /// for a list over all namespaces. `name`: nil for the list, and to create.
    public func path(namespace: String = "", name: String? = nil, subresource: String? = nil) -> String {
        var path = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        if namespaced, !namespace.isEmpty { path += "/namespaces/\(percentEncoded(namespace))" }
        path += "/\(plural)"
        if let name { path += "/\(percentEncoded(name))" }
        if let subresource { path += "/\(subresource)" }
        return path
    }

    /// The path of an object, or of one of its subresources.
    public func path(of key: ObjectKey, subresource: String? = nil) -> String {
        path(namespace: key.namespace, name: key.name, subresource: subresource)
    }
}

/// RFC 3986 §2.1: letters, digits and `keeping` stay as they are.
func percentEncoded(_ text: String, keeping kept: String = "-._~") -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            bytes.append(byte)
        case _ where kept.utf8.contains(byte): bytes.append(byte)
        default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
