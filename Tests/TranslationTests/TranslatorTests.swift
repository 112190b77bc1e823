import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// What is remembered changes nothing of what is said.
@Suite("Translator")
struct TranslatorTests {
    private static let options = {
        var options = TranslationOptions()
        options.standalone = true
        return options
    }()

    @Test("after any change it says what a translation from nothing says", arguments: 0..<4)
    func agrees(seed: UInt64) {
        var translator = Translator(options: Self.options)
        var dice = SeededDice(seed: seed)
        var snapshot = RandomCluster(seed: seed).snapshot()
        let other = RandomCluster(seed: seed + 1000).snapshot()
        for step in 0..<20 {
            #expect(
                translator.translate(snapshot) == translate(snapshot, options: Self.options),
                "seed \(seed), step \(step)")
            change(&snapshot, other, &dice)
        }
    }

    /// Mostly slices; now and then something else, and the time.
    private func change(_ snapshot: inout ClusterSnapshot, _ other: ClusterSnapshot, _ dice: inout SeededDice) {
        guard let key = dice.pick(snapshot.endpointSlices.keys.sorted()) else { return }
        switch dice.roll(10) {
        case 0: snapshot.endpointSlices[key] = nil
        case 1: snapshot.endpointSlices[key]?.addressType = "FQDN"
        case 2: snapshot.endpointSlices[key]?.metadata.labels = nil
        case 3: snapshot.endpointSlices[key]?.metadata.labels = [EndpointSlice.serviceNameLabel: "s\(dice.roll(10))"]
        case 4:
            let name = dice.pick(snapshot.services.keys.sorted())
            snapshot.services[name ?? key]?.spec.ports = [Service.Port(name: "a", port: 80 + dice.roll(2))]
        case 5:
            if let route = dice.pick(other.tcpRoutes.keys.sorted()) {
                snapshot.tcpRoutes[route] = other.tcpRoutes[route]
            }
        case 6: snapshot.asOf += Int64(dice.roll(3000))
        case 7: snapshot.asOf -= 10
        default:
            let addresses = ["10.1.\(dice.roll(9)).\(dice.roll(9))", "fd00::\(dice.roll(9))"]
            snapshot.endpointSlices[key]?.endpoints = [
                .init(addresses: addresses, conditions: .init(ready: dice.roll(2) == 0)),
                .init(
                    addresses: ["10.2.0.\(dice.roll(9))"],
                    conditions: .init(ready: false, serving: true, terminating: true)),
            ]
        }
    }
}

/// xorshift64*.
struct SeededDice {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func roll(_ sides: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int((state &* 0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    mutating func pick<Value>(_ values: [Value]) -> Value? { values.isEmpty ? nil : values[roll(values.count)] }
}
