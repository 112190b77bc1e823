internal import KubernetesAPI

/// What a gateway's Service is called and labelled.
public enum ServiceNames {
    static let gatewayName = "gateway.networking.k8s.io/gateway-name"
    static let className = "gateway.networking.k8s.io/gateway-class-name"
    static let gatewayNamespace = "sluice.dev/gateway-namespace"
    static let gatewayUID = "sluice.dev/gateway-uid"
    /// Which installation's it is, of several that may share a namespace.
    public static let controller = "sluice.dev/controller"
    /// The labels without which a Service is none of ours.
    public static let identity = [gatewayName, className, gatewayNamespace, gatewayUID, controller]

    /// `sluice-`, ten digits of the SHA-256 of `namespace/name`, and what fits of the gateway's name: an RFC 1035 label.
    static func service(of gateway: ObjectKey) -> String {
        let prefix = "sluice-" + SHA256.hex(gateway.description).prefix(10)
        let tail = readable(gateway.name, atMost: 63 - prefix.utf8.count - 1)
        return tail.isEmpty ? prefix : "\(prefix)-\(tail)"
    }

    /// The labels that say whose a Service is; `controller` as ``labelValue(_:)`` made it.
    static func labels(of key: ObjectKey, _ gateway: Gateway, controller: String) -> [String: String] {
        [
            gatewayName: labelValue(key.name), className: labelValue(gateway.spec.gatewayClassName),
            gatewayNamespace: labelValue(key.namespace), gatewayUID: labelValue(gateway.metadata.uid ?? ""),
            self.controller: controller,
        ]
    }

    /// `text` itself where it may be a label's value; else what fits of it, and ten digits of its SHA-256.
    public static func labelValue(_ text: String) -> String {
        let isAllowed = text.utf8.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
        let ends = [text.utf8.first, text.utf8.last].compactMap { $0 }
        if isAllowed, text.utf8.count <= 63, ends.allSatisfy(isAlphanumeric) { return text }
        let digits = SHA256.hex(text).prefix(10)
        let head = readable(text, atMost: 63 - 11)
        return head.isEmpty ? String(digits) : "\(head)-\(digits)"
    }

    /// What fits of `text`, with '-' for all but letters in lower case and digits, and neither before nor after it.
    private static func readable(_ text: String, atMost limit: Int) -> String {
        let dash = UInt8(ascii: "-")
        var bytes = text.utf8.map { byte -> UInt8 in
            let lower = isLetter(byte) ? byte | 0x20 : byte
            return isAlphanumeric(lower) ? lower : dash
        }
        bytes = Array(bytes.drop { $0 == dash }.prefix(limit))
        while bytes.last == dash { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
