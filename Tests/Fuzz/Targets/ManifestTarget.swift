internal import EngineModel
internal import KubernetesAPI
@testable internal import ManifestSource
internal import Translation
internal import YAML

extension FuzzTarget {
    /// A file of manifests, from its text to objects, and on to what they mean.
    static let manifests = FuzzTarget(name: "manifests", maxLength: 8192) { bytes in
        let content = Array(bytes)
        let stream = YAMLStream(parsing: content, file: "a.yaml")
        let state = try checkCatalog(content, stream)
        try checkEmission(stream, state.snapshot)
        guard !state.snapshot.gateways.isEmpty || !state.snapshot.gatewayClasses.isEmpty else { return }
        try checkTranslation(state.snapshot)
    }

    private static func read(_ content: [UInt8]) -> ManifestSnapshot {
        var catalog = Catalog(unknownFields: .error)
        catalog.update("a.yaml", content: content)
        return catalog.snapshot(asOf: 1_800_000_000).state
    }

    private static func checkCatalog(_ content: [UInt8], _ stream: YAMLStream) throws -> ManifestSnapshot {
        var catalog = Catalog(unknownFields: .error)
        catalog.update("a.yaml", content: content)
        let state = catalog.snapshot(asOf: 1_800_000_000).state
        try requireEqual(read(content).snapshot, state.snapshot, "the same file read twice")
        let lines = content.count { $0 == 10 || $0 == 13 } + 2
        for problem in state.problems {
            try require((0...lines).contains(problem.line), "line \(problem.line) of \(lines)")
            try require(isOneLine(problem.description), "more than one line: \(problem.description)")
            try require(problem.message.utf8.count <= 4096, "a long message: \(problem.message)")
        }
        try require(
            stream.problem == nil || state.problems.contains { $0.severity == .error }, "a fault that is not reported")
        let isUsed = catalog.snapshot(asOf: 1_800_000_000).objectsChanged
        try require(!isUsed, "objects that differ from themselves")
        // A file that breaks keeps its objects; one that goes takes them along.
        catalog.update("a.yaml", content: content + Array("\n\"".utf8))
        let broken = catalog.snapshot(asOf: 1_800_000_000)
        if YAMLStream(parsing: content + Array("\n\"".utf8)).problem != nil {
            try requireEqual(broken.state.snapshot, state.snapshot, "objects of a file that broke")
        }
        catalog.remove("a.yaml")
        try requireEqual(
            catalog.snapshot(asOf: 0).state.snapshot, ClusterSnapshot(asOf: 0), "what is left of a file that is gone")
        return state
    }

    /// What was read and is written means the same, and gives the same objects.
    private static func checkEmission(_ stream: YAMLStream, _ snapshot: ClusterSnapshot) throws {
        guard stream.problem == nil, stream.documents.allSatisfy(\.problems.isEmpty) else { return }
        let nodes = stream.documents.map { $0.root.rewritten }
        let text = YAMLEmitter.text(of: nodes)
        guard text.utf8.count <= 1 << 17 else { return }
        let again = YAMLStream(parsing: Array(text.utf8))
        try require(
            again.problem == nil, "what was written cannot be read: \(again.problem?.description ?? "")\n\(text)")
        try requireEqual(again.documents.map { $0.root.rewritten }, nodes, "what was written means something else")
        try requireEqual(read(Array(text.utf8)).snapshot, snapshot, "objects that were written and read")
    }

    private static func checkTranslation(_ snapshot: ClusterSnapshot) throws {
        for isCluster in [false, true] {
            var options = TranslationOptions()
            options.standalone = !isCluster
            if isCluster {
                options.exposure = .service
                options.installation = .init(namespace: "sluice-system", podLabels: ["app": "sluice"])
            }
            let result = translate(snapshot, options: options)
            try requireEqual(translate(snapshot, options: options), result, "the same objects translated twice")
            let translator = Translator(options: options)
            try requireEqual(translator.translate(snapshot), result, "by a translator")
            for listener in result.configuration.listeners {
                try require(!listener.bindings.contains { $0.port == 0 }, "port 0 of \(listener.id)")
            }
            let sorted = result.configuration.listeners.map(\.id)
            try requireEqual(sorted, sorted.sorted(), "listeners in order")
        }
    }
}
