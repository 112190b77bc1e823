internal import KubernetesAPI

/// How objects are shown: as they are, their metadata alone, or as rows of a table; by the Accept field.
struct Rendering: Sendable {
    enum Form: Sendable { case whole, metadata, table }

    let kind: ServedKind
    let version: String
    let form: Form
    /// With a table's rows: `Metadata` (also when absent), `Object` or `None`.
    let included: String

    init(kind: ServedKind, version: String, request: ServedRequest) {
        (self.kind, self.version) = (kind, version)
        included = request.query["includeObject"] ?? "Metadata"
        let wanted = (request.headers["accept"] ?? "").split(separator: ",").first.map(String.init) ?? ""
        form =
            wanted.contains("as=Table")
            ? .table : wanted.contains("as=PartialObjectMetadata") ? .metadata : .whole
    }

    /// One object, as the body of a GET or in an event.
    func bytes(_ object: StoredObject) -> [UInt8] {
        switch form {
        case .whole:
            if version == kind.versions[0], kind.storedAs == nil { return object.bytes }
            return JSONText.bytes(shown(object.value))
        case .metadata: return JSONText.bytes(Self.metadata(of: object.value))
        case .table: return JSONText.bytes(table([object.value], metadata: object.value["metadata"]))
        }
    }

    func shown(_ object: JSONValue) -> JSONValue {
        kind.storedAs == nil ? kind.served(object, version: version) : EventConversion.old(object)
    }

    /// A list, in the order given.
    func list(_ objects: [StoredObject], metadata: [String: JSONValue]) -> [UInt8] {
        if form == .table {
            return JSONText.bytes(table(objects.map(\.value), metadata: .object(metadata)))
        }
        let isWhole = form == .whole
        let listKind = isWhole ? "\(kind.kind)List" : "PartialObjectMetadataList"
        let apiVersion = isWhole ? kind.apiVersion(version) : "meta.k8s.io/v1"
        let head = #"{"apiVersion":"\#(apiVersion)","kind":"\#(listKind)","metadata":"#
        var output = Array(head.utf8) + JSONText.bytes(.object(metadata)) + Array(#","items":["#.utf8)
        for (index, object) in objects.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            output += bytes(object)
        }
        return output + Array("]}".utf8)
    }

    /// What a bookmark carries.
    func bookmark(version number: Int64, endsInitialEvents: Bool) -> [UInt8] {
        var object = JSONValue.object([
            "apiVersion": .string(kind.apiVersion(version)), "kind": .string(kind.kind),
            "metadata": .object(["resourceVersion": .string(String(number))]),
        ])
        if endsInitialEvents {
            object.set("metadata", "annotations", "k8s.io/initial-events-end", to: .string("true"))
        }
        switch form {
        case .whole: return JSONText.bytes(object)
        case .metadata: return JSONText.bytes(Self.metadata(of: object))
        case .table: return JSONText.bytes(table([], metadata: object["metadata"]))
        }
    }

    private static func metadata(of object: JSONValue) -> JSONValue {
        .object([
            "kind": .string("PartialObjectMetadata"), "apiVersion": .string("meta.k8s.io/v1"),
            "metadata": object["metadata"] ?? .object([:]),
        ])
    }

    private func table(_ objects: [JSONValue], metadata: JSONValue?) -> JSONValue {
        let name = ServedKind.Column(name: "Name") { $0.at("metadata", "name") ?? .null }
        let columns = [name] + kind.columns
        let definitions = columns.enumerated().map { index, column in
            JSONValue.object([
                "name": .string(column.name), "type": .string(column.format == "date" ? "string" : column.format),
                "format": .string(index == 0 ? "name" : ""), "description": .string(column.name),
                "priority": .integer(column.priority),
            ])
        }
        let rows = objects.map { object -> JSONValue in
            var row: [String: JSONValue] = ["cells": .array(columns.map { $0.value(object) })]
            if included != "None" { row["object"] = included == "Object" ? shown(object) : Self.metadata(of: object) }
            return .object(row)
        }
        var kept: [String: JSONValue] = [:]
        for field in ["resourceVersion", "continue", "remainingItemCount", "annotations"] {
            kept[field] = metadata?[field]
        }
        return .object([
            "kind": .string("Table"), "apiVersion": .string("meta.k8s.io/v1"), "metadata": .object(kept),
            "columnDefinitions": .array(definitions), "rows": .array(rows),
        ])
    }
}
