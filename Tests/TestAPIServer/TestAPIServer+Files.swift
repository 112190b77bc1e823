internal import FoundationEssentials
internal import KubernetesAPI

extension TestAPIServer {
    /// Creates or replaces what a manifest file, or a folder of them (`.yaml`, `.yml`, `.json`, in the order of their
    /// names, folders within too), describes. Namespaces and definitions go first; namespaces that are named only are made.
    public func load(_ path: String) throws {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw APIStatus.badRequest("\(path) does not exist")
        }
        let names = isFolder ? try FileManager.default.subpathsOfDirectory(atPath: path).sorted() : [""]
        var documents: [JSONValue] = []
        for name in names where !isFolder || [".yaml", ".yml", ".json"].contains(where: { name.hasSuffix($0) }) {
            let file = isFolder ? "\(path)/\(name)" : path
            do {
                documents += try JSONValue.documents(try String(contentsOfFile: file, encoding: .utf8))
            } catch {
                throw APIStatus.badRequest("\(file): \(error)")
            }
        }
        let first: Set<String> = ["Namespace", "CustomResourceDefinition"]
        let ordered = documents.filter { first.contains($0["kind"]?.text ?? "") }
        for document in ordered { try put(document) }
        for document in documents where !first.contains(document["kind"]?.text ?? "") {
            let namespace = document.at("metadata", "namespace")?.text
            if let namespace, object("Namespace", "", namespace) == nil {
                try create(yaml: "{apiVersion: v1, kind: Namespace, metadata: {name: \(namespace)}}")
            }
            try put(document)
        }
    }
}
