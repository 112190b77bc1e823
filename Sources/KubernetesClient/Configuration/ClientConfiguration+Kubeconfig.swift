internal import Platform
internal import Primitives

extension ClientConfiguration {
    /// Reads a kubeconfig as kubectl does. `path`: this file alone; nil: those that `KUBECONFIG` of the environment lists
    /// (missing ones are passed over; of an entry that several have, the first counts), else `$HOME/.kube/config`.
    /// `context`: nil: the current one.
    public static func kubeconfig(
        path: String?, context: String?, environment: [String: String]
    ) throws(ConfigurationError) -> ClientConfiguration {
        let paths = try kubeconfigPaths(path, environment)
        var files: [KubeconfigFile] = []
        for path in paths {
            if let file = try KubeconfigFile(ifThereAt: path) { files.append(file) }
        }
        guard let first = files.first else {
            if let path { throw ConfigurationError(file: path, message: "there is no such file") }
            throw ConfigurationError(message: "there is no kubeconfig: \(paths.joined(separator: ", "))")
        }
        return try KubeconfigReader(files: files, first: first).configuration(context)
    }
}

private func kubeconfigPaths(_ path: String?, _ environment: [String: String]) throws(ConfigurationError) -> [String] {
    if let path { return [path] }
    let listed = (environment["KUBECONFIG"] ?? "").split(separator: ":").map(String.init)
    if !listed.isEmpty { return listed }
    guard let home = environment["HOME"], !home.isEmpty else {
        throw ConfigurationError(message: "neither KUBECONFIG nor HOME is set, and no kubeconfig is given")
    }
    return ["\(home)/.kube/config"]
}

/// Several kubeconfigs as one.
private struct KubeconfigReader {
    let files: [KubeconfigFile]
    let first: KubeconfigFile

    func configuration(_ wanted: String?) throws(ConfigurationError) -> ClientConfiguration {
        let (context, file, field) = try context(wanted)
        guard let clusterName = context.cluster, !clusterName.isEmpty else {
            throw file.error(field, "the context names no cluster")
        }
        let cluster = find(\.clusters, \.name, clusterName)
        guard let cluster else {
            throw file.error(
                "\(field).cluster", "there is no cluster \"\(printable(clusterName))\"\(known(\.clusters, \.name))")
        }
        let clusterReader = ClusterReader(
            file: cluster.file, field: "clusters[\(cluster.index)].cluster", cluster: cluster.entry.cluster ?? .init())
        let namespace = context.namespace ?? ""
        var configuration = try clusterReader.configuration(namespace: namespace.isEmpty ? "default" : namespace)
        guard let userName = context.user, !userName.isEmpty else { return configuration }
        guard let user = find(\.users, \.name, userName) else {
            throw file.error("\(field).user", "there is no user \"\(printable(userName))\"\(known(\.users, \.name))")
        }
        let userReader = UserReader(
            file: user.file, field: "users[\(user.index)].user", user: user.entry.user ?? .init())
        try userReader.complete(&configuration, clusterReader)
        return configuration
    }

    private func context(_ wanted: String?) throws(ConfigurationError) -> (Kubeconfig.Context, KubeconfigFile, String) {
        let current = files.first { $0.content.currentContext?.isEmpty == false }
        guard let name = wanted ?? current?.content.currentContext else {
            throw first.error("current-context", "is not set, and no context is given\(known(\.contexts, \.name))")
        }
        guard let found = find(\.contexts, \.name, name) else {
            let text = "there is no context \"\(printable(name))\"\(known(\.contexts, \.name))"
            guard wanted == nil, let current else { throw ConfigurationError(file: first.path, message: text) }
            throw current.error("current-context", text)
        }
        return (found.entry.context ?? .init(), found.file, "contexts[\(found.index)].context")
    }

    /// The first entry of a name, in the order of the files.
    private func find<Entry>(
        _ list: KeyPath<Kubeconfig, [Entry]?>, _ name: KeyPath<Entry, String>, _ wanted: String
    ) -> (entry: Entry, file: KubeconfigFile, index: Int)? {
        for file in files {
            let entries = file.content[keyPath: list] ?? []
            if let index = entries.firstIndex(where: { $0[keyPath: name] == wanted }) {
                return (entries[index], file, index)
            }
        }
        return nil
    }

    /// `; there are: a, b`
    private func known<Entry>(_ list: KeyPath<Kubeconfig, [Entry]?>, _ name: KeyPath<Entry, String>) -> String {
        let names = files.flatMap { ($0.content[keyPath: list] ?? []).map { printable($0[keyPath: name]) } }
        if names.isEmpty { return "; there is none at all" }
        return "; there are: " + names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", …" : "")
    }
}
