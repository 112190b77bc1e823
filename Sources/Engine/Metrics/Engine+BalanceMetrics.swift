internal import EngineCore
internal import EngineModel
internal import Observability
internal import Platform

extension Engine {
    /// Families of load balancing (POLICY: backends).
    func writeBalancing(into text: inout PrometheusText) {
        let backends = withCompiler { compiler, _ in
            compiler.backends.lazy.map(\.value).filter { $0.configuration.settings.health.panicThreshold > 0 }
        }
        let now = MonotonicTime.now().nanoseconds / 1_000_000
        var panics: [BackendID: Bool] = [:]
        for backend in backends {
            let isPanicking = backend.balancer?.view(now: now).shares.isPanicking == true
            let id = backend.configuration.id.withoutVariant
            panics[id] = panics[id] == true || isPanicking
        }
        text.family(.backendPanic) { family in
            for (id, isPanicking) in panics.sorted(by: { $0.key < $1.key }) {
                family.sample(LabelSet(backend: id), isPanicking)
            }
        }
    }
}
