extension BackendRuntime {
    /// Whether an endpoint has as many connections as it may have: it is passed over.
    @inline(__always) func isFull(_ index: Int) -> Bool { false }
}
