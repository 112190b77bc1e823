public import Commands
public import Engine

extension Engine: DataPlane {}

extension EngineOptions {
    init(_ limits: DataPlaneLimits) {
        self.init(
            workers: limits.workers, maxConnections: limits.maxConnections, bufferMemory: limits.bufferMemory)
    }
}
