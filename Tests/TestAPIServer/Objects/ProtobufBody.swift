internal import KubernetesAPI

/// Bodies in Kubernetes' protobuf encoding, of the kinds that kubectl creates that way (`kubectl create secret`, `configmap`,
/// `namespace`, `serviceaccount`, `auth can-i`), and what Helm deletes with: numbers from the generated.proto files of k8s.io/api v1.
enum ProtobufBody {
    private indirect enum Field: Sendable {
        case text, flag, integer
        case message([UInt64: (String, Field)])
        case list(Field)
        /// From names to texts, or to bytes shown in Base64.
        case texts, bytes
    }

    /// Reads `k8s\0` and runtime.Unknown; nil where the kind is none of the above or the text is broken.
    static func json(_ body: [UInt8]) -> JSONValue? {
        guard body.starts(with: Array("k8s".utf8) + [0]) else { return nil }
        let type: [UInt64: (String, Field)] = [1: ("apiVersion", .text), 2: ("kind", .text)]
        var reader = ProtobufReader(body[4...])
        var result: JSONValue?
        var raw: ArraySlice<UInt8> = []
        while let (number, value) = reader.next() {
            if number == 1, case .bytes(let bytes) = value { result = message(bytes, type) }
            if number == 2, case .bytes(let bytes) = value { raw = bytes }
        }
        guard let kind = result?["kind"]?.text, let fields = kinds[kind] else { return nil }
        var object = message(raw, fields)
        for name in ["apiVersion", "kind"] { object.set(name, to: result?[name]) }
        return object
    }

    private static func message(_ bytes: ArraySlice<UInt8>, _ fields: [UInt64: (String, Field)]) -> JSONValue {
        var reader = ProtobufReader(bytes)
        var result: [String: JSONValue] = [:]
        while let (number, value) = reader.next() {
            guard let (name, field) = fields[number] else { continue }
            add(value, as: field, to: &result, name)
        }
        return .object(result)
    }

    private static func add(
        _ value: ProtobufReader.Value, as field: Field, to result: inout [String: JSONValue], _ name: String
    ) {
        switch (field, value) {
        case (.text, .bytes(let bytes)):
            if !bytes.isEmpty { result[name] = .string(String(decoding: bytes, as: UTF8.self)) }
        case (.flag, .number(let number)): result[name] = .bool(number != 0)
        case (.integer, .number(let number)):
            if number != 0 { result[name] = .integer(Int64(bitPattern: number)) }
        case (.message(let fields), .bytes(let bytes)):
            let child = message(bytes, fields)
            if !child.isEmptyContainer { result[name] = child }
        case (.list(let element), .bytes):
            var one: [String: JSONValue] = [:]
            add(value, as: element, to: &one, name)
            result[name] = .array((result[name]?.elements ?? []) + (one[name].map { [$0] } ?? []))
        case (.texts, .bytes(let bytes)), (.bytes, .bytes(let bytes)):
            var entries = result[name]?.fields ?? [:]
            var reader = ProtobufReader(bytes)
            var key = ""
            var content: ArraySlice<UInt8> = []
            while let (number, part) = reader.next() {
                guard case .bytes(let bytes) = part else { continue }
                if number == 1 { key = String(decoding: bytes, as: UTF8.self) } else { content = bytes }
            }
            if case .texts = field {
                entries[key] = .string(String(decoding: content, as: UTF8.self))
            } else {
                entries[key] = .string(base64(Array(content)))
            }
            result[name] = .object(entries)
        default: break
        }
    }

    private static let metadata: Field = .message([
        1: ("name", .text), 2: ("generateName", .text), 3: ("namespace", .text), 5: ("uid", .text),
        6: ("resourceVersion", .text), 11: ("labels", .texts), 12: ("annotations", .texts),
        14: ("finalizers", .list(.text)),
    ])

    private static let kinds: [String: [UInt64: (String, Field)]] = [
        "Secret": [
            1: ("metadata", metadata), 2: ("data", .bytes), 3: ("type", .text), 4: ("stringData", .texts),
            5: ("immutable", .flag),
        ],
        "ConfigMap": [
            1: ("metadata", metadata), 2: ("data", .texts), 3: ("binaryData", .bytes), 4: ("immutable", .flag),
        ],
        "DeleteOptions": [
            1: ("gracePeriodSeconds", .integer),
            2: ("preconditions", .message([1: ("uid", .text), 2: ("resourceVersion", .text)])),
            3: ("orphanDependents", .flag), 4: ("propagationPolicy", .text), 5: ("dryRun", .list(.text)),
        ],
        "Namespace": [1: ("metadata", metadata)],
        "ServiceAccount": [1: ("metadata", metadata)],
        "SelfSubjectAccessReview": [
            1: ("metadata", metadata),
            2: (
                "spec",
                .message([
                    1: (
                        "resourceAttributes",
                        .message([
                            1: ("namespace", .text), 2: ("verb", .text), 3: ("group", .text), 4: ("version", .text),
                            5: ("resource", .text), 6: ("subresource", .text), 7: ("name", .text),
                        ])
                    )
                ])
            ),
        ],
    ]
}

/// Cuts a protobuf message into its fields.
private struct ProtobufReader {
    enum Value {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// nil at the end, and where the text is broken.
    mutating func next() -> (UInt64, Value)? {
        guard let tag = number() else { return nil }
        switch tag & 7 {
        case 0: return number().map { (tag >> 3, .number($0)) }
        case 1: return take(8).map { (tag >> 3, .bytes($0)) }
        case 2: return number().flatMap { take(Int(clamping: $0)) }.map { (tag >> 3, .bytes($0)) }
        case 5: return take(4).map { (tag >> 3, .bytes($0)) }
        default: return nil
        }
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    private mutating func number() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7f) << UInt64(shift)
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
