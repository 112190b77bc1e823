internal import TestSupport

/// Where the replicas of one test keep the last configuration, one after another (`--cache-directory`), and the keys that
/// seal it.
struct CacheFolder {
    let folder: TemporaryDirectory

    init(in folder: TemporaryDirectory) { self.folder = folder }

    var path: String { folder.path + "/cache" }
    var file: String { path + "/cluster.cache" }
    var flags: [String] { ["--cache-directory", path] }

    /// Of a cache that holds Secrets too; `keyFile` has the keys.
    func flags(sealedBy keyFile: String) -> [String] {
        flags + ["--cache-key-file", keyFile, "--cache-secrets", "true"]
    }
}
