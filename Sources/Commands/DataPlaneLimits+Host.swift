internal import Platform

extension DataPlaneLimits {
    /// Descriptors kept for everything but connections.
    private static let spareDescriptors = 128
    /// And for health checks under way, where there are enough.
    private static let checkDescriptors = 1024
    /// What a connection is reckoned to take of memory.max, in bytes: kernel socket memory and TLS state included.
    private static let bytesPerConnection = 64 << 10
    /// What the process takes without connections, in bytes.
    private static let baseMemory: Int64 = 64 << 20

    /// `descriptors`: the limit that holds. `memory`: bytes that the cgroup allows, nil without a limit.
    init(_ options: RunOptions, processors: Int, descriptors: Int, memory: Int64?) {
        workers = options.workers ?? min(processors, 16)
        bufferMemory = options.bufferMemory
        self.descriptors = descriptors
        let spare = DataPlaneLimits.spareDescriptors + min(DataPlaneLimits.checkDescriptors, descriptors / 16)
        let byDescriptors = (descriptors - spare) / 2
        let byMemory = memory.map { limit in
            Int(limit - DataPlaneLimits.baseMemory) / DataPlaneLimits.bytesPerConnection
        }
        maxConnections = options.maxConnections ?? max(16, min(byDescriptors, byMemory ?? .max))
    }
}
