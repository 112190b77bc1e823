public import Commands
public import Engine
public import EngineModel

extension Engine: DataPlane {}
extension EndpointProber: BackendProbing {}

extension EngineOptions {
    init(_ limits: DataPlaneLimits) {
        self.init(
            workers: limits.workers, maxConnections: limits.maxConnections, bufferMemory: limits.bufferMemory)
        descriptors = limits.descriptors
        (inheritedListeners, holdsListeners) = (limits.inheritedListeners, limits.holdsListeners)
    }
}
