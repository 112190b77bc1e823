internal import KubernetesAPI

/// The kinds whose status names no controller, though it is one's as a whole.
let kindsWithNamelessStatus: Set<String> = ["Gateway", "ListenerSet"]

/// Who wrote the condition `Accepted` of an object, out of its metadata.managedFields (KEP-555).
struct ManagedStatus: Decodable {
    /// Field managers.
    let managers: Set<String>

    private struct Entry: Decodable {
        var manager: String?
        var subresource: String?
        var fieldsV1: JSONValue?

        /// Whoever changes what the condition says takes its fields over.
        var hasCondition: Bool {
            let conditions = fieldsV1?["f:status"]?["f:conditions"]
            return subresource == "status" && conditions?["k:{\"type\":\"Accepted\"}"]?["f:status"] != nil
        }
    }

    private enum Field: String, CodingKey { case metadata }
    private enum MetadataField: String, CodingKey { case managedFields }

    init(from decoder: any Decoder) throws {
        let metadata = try decoder.container(keyedBy: Field.self)
            .nestedContainer(keyedBy: MetadataField.self, forKey: .metadata)
        let entries = try metadata.decodeIfPresent([Entry].self, forKey: .managedFields) ?? []
        managers = Set(entries.filter(\.hasCondition).compactMap(\.manager))
    }
}
