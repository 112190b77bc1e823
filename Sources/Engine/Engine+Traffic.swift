public import EngineModel

extension Engine: EngineObserving {
    /// Nothing is told by object yet.
    public func traffic() -> TrafficReport { TrafficReport() }
}
