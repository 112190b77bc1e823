/// One thing that is done to the gateway from outside. Numbers that name something (a backend, an endpoint, a client) are taken
/// modulo what there is, so that a schedule stays one when steps are left out.
public struct Step: Sendable, CustomStringConvertible {
    /// Microseconds after the step before.
    var wait: Int64
    var action: Action

    enum Action: Sendable {
        case arrive(worker: Int, listener: Int, Client)
        case leave(client: Int)
        case fault(backend: Int, endpoint: Int, Fault)
        case scale(backend: Int, present: UInt)
        case edit(Edit)
        /// A worker gets no processor time for so many milliseconds.
        case stall(worker: Int, milliseconds: Int64)
        case pass
    }

    public var description: String { "after \(Double(wait) / 1000) ms: \(action)" }
}

/// What a client does once its connection is there.
struct Client: Sendable {
    /// Where it comes from, of a few sources.
    var source: Int
    /// Milliseconds: from the session's beginning to the first byte of response, and to its end.
    var answers: Int64
    var lasts: Int64
    /// Of the response.
    var bytes: Int
}

/// How an endpoint behaves from now on.
enum Fault: Sendable, Hashable {
    /// Connects after so many milliseconds.
    case none(delay: Int64)
    case refuses
    /// Answers nothing.
    case silent
    /// Connects, then resets before a byte of response.
    case resets
}

/// A change of the configuration.
enum Edit: Sendable {
    case weight(backend: Int, endpoint: Int, Int)
    case shares(route: Int, [Int])
    case thresholds(backend: Int, healthy: Int, unhealthy: Int)
    case checks(backend: Int, interval: Int64)
    case passive(backend: Int, failures: Int)
    case panic(backend: Int, percent: Int)
    case sessions(backend: Int, timeout: Int64)
    case circuit(backend: Int, connections: Int?, perEndpoint: Int?)
    case queue(backend: Int, length: Int?, milliseconds: Int64)
    case limit(route: Int, connections: Int?, perSource: Int?)
    case listenerLimit(Int?)
    case rate(route: Int, connections: Int, burst: Int)
    case bandwidth(route: Int, bytesPerSecond: Int?)
    case routeGoes(route: Int)
    case routeComes(route: Int)
    case routeDrain(route: Int, milliseconds: Int64?)
}
