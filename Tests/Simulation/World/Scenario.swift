import EngineModel
import Primitives

/// What a seed stands for: a gateway with its configuration, and what is done to it.
public struct Scenario: Sendable {
    public let seed: UInt64
    let workers: Int
    let configuration: EngineConfiguration
    public var steps: [Step]

    public init(seed: UInt64) {
        self.seed = seed
        let dice = Dice(seed: seed)
        workers = dice.roll(2...4)
        let draft = ConfigurationDraft(dice)
        configuration = draft.draw()
        let schedule = ScheduleDraft(dice, configuration: configuration)
        steps = schedule.draw()
        // Drawn apart: the seeds without one stay what they are.
        let apart = OutageDraft(Dice(seed: seed ^ 0x0f0f_0f0f), configuration: configuration)
        if let outage = apart.draw() { steps.insert(contentsOf: outage.steps, at: outage.place(in: steps.count)) }
        let back = ReturnDraft(Dice(seed: seed ^ 0x00ff_00ff), configuration: configuration)
        if let steps = back.draw() { self.steps += steps }
    }

    /// The same with other steps.
    func with(_ steps: [Step]) -> Scenario {
        var other = self
        other.steps = steps
        return other
    }
}

/// Random choices, equal for equal seeds.
final class Dice {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed &* 0xd134_2543_de82_ef95 &+ 0x2545_f491_4f6c_dd1d) }

    func next() -> UInt64 { random.next() }
    func roll(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(random.next() % UInt64(range.upperBound - range.lowerBound + 1))
    }
    func roll(_ range: ClosedRange<Int64>) -> Int64 { Int64(roll(Int(range.lowerBound)...Int(range.upperBound))) }
    func chance(_ percent: Int) -> Bool { roll(0...99) < percent }
    func pick<Value>(_ values: [Value]) -> Value { values[roll(0...values.count - 1)] }
    func maybe<Value>(_ percent: Int, _ value: () -> Value) -> Value? { chance(percent) ? value() : nil }
}

/// Names of everything that a configuration can have.
enum Names {
    static func backend(_ index: Int) -> BackendID {
        BackendID(kind: "Service", namespace: "sim", name: "b\(index)", port: 80)
    }
    static func listener(_ index: Int) -> ListenerID {
        ListenerID(gatewayNamespace: "sim", gateway: "edge", listener: "l\(index)")
    }
    static func route(_ index: Int) -> RouteID { RouteID(kind: "TCPRoute", namespace: "sim", name: "r\(index)") }
    static func endpoint(_ backend: Int, _ index: Int) -> SocketAddress {
        SocketAddress(.v4(0x0a00_0000 + UInt32(backend) << 8 + UInt32(index) + 1), 80)
    }
    static func source(_ index: Int) -> IPAddress { .v4(0xc000_0200 + UInt32(index)) }
    static let gatewayLimit = LimitID(policy: "sim/gateway", target: "Gateway sim/edge")
    static func routeLimit(_ index: Int) -> LimitID {
        LimitID(policy: "sim/route\(index)", target: "TCPRoute sim/r\(index)")
    }
    static let sharedCircuit = LimitID(policy: "sim/circuit", target: "Gateway sim/edge")
    static func circuit(_ index: Int) -> LimitID {
        LimitID(policy: "sim/circuit\(index)", target: "Service sim/b\(index)")
    }
}
