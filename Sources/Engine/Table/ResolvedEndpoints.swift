/// A backend's endpoints after names were turned into addresses.
struct ResolvedEndpoints: Sendable {
    var endpoints: [EndpointState] = []
    /// Parallel to the endpoints; relative to each other, 0 gets nothing.
    var weights: [Int] = []
    /// Parallel to the endpoints: those of the lowest number go first. Of SRV records by their priority.
    var preferences: [UInt8] = []
    /// Parallel to the endpoints; nil: not known.
    var zones: [String?] = []
    /// Parallel to the endpoints, where a name has addresses of both families and both are wanted: the index of one of the other
    /// family, or -1. Empty where there is none.
    var alternates: [Int32] = []
    /// Names whose first answer has not come yet.
    var isPending = false
    /// Every name failed and none ever resolved, or it led to refused addresses only.
    var hasFailed = false
    /// How many addresses of SRV records' targets are not used, because there are too many.
    var leftOut = 0
    /// Names without an address that could be used: one sentence each. Connections do not depend on it.
    var problems: [String] = []
    /// Addresses that names led to and that are not used: one sentence each.
    var refused: [String] = []

    static func == (left: ResolvedEndpoints, right: ResolvedEndpoints) -> Bool {
        left.isPending == right.isPending && left.hasFailed == right.hasFailed && left.refused == right.refused
            && left.endpoints.elementsEqual(right.endpoints, by: ===) && left.weights == right.weights
            && left.preferences == right.preferences && left.zones == right.zones
            && left.alternates == right.alternates && left.leftOut == right.leftOut
    }
}
