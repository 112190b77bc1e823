import EngineCore
import Primitives
import Testing

@Suite("Endpoint picker", .timeLimit(.minutes(5)))
struct EndpointPickerTests {
    /// How often each endpoint is picked, none having a connection.
    private func counts(_ weights: [Int], _ rounds: Int, seed: UInt64, isOut: @escaping (Int) -> Bool) -> [Int] {
        var random = SplitMix64(seed: seed)
        let picker = EndpointPicker(weights: weights)
        var counts = [Int](repeating: 0, count: weights.count)
        for _ in 0..<rounds {
            if let index = picker.pick(random: &random, active: nil, isOut: isOut) { counts[index] += 1 }
        }
        return counts
    }

    @Test(
        "each is drawn as often as its weight says, and those that are out leave their shares to all others",
        arguments: [
            ([1, 1, 1], []), ([1, 3, 6], []), ([5, 1, 3, 1], [0]), ([1000, 1, 500], [0, 2]),
            ([0, 7, 7, 14], [1]), (Array(repeating: 2, count: 100), Set(3..<100)), ([1, 2, 3, 1_000_000], [3]),
        ] as [([Int], Set<Int>)])
    func shares(weights: [Int], out: Set<Int>) {
        let rounds = 60_000
        let counts = counts(weights, rounds, seed: 42) { out.contains($0) }
        let sum = weights.indices.reduce(0.0) { out.contains($1) ? $0 : $0 + Double(weights[$1]) }
        for index in weights.indices {
            let share = out.contains(index) ? 0 : Double(weights[index]) / sum
            // Five standard deviations of a binomial count.
            let slack = 5 * (Double(rounds) * share * (1 - share)).squareRoot()
            #expect(abs(Double(counts[index]) - Double(rounds) * share) <= slack, "\(index): \(counts)")
        }
    }

    @Test("nobody is picked where nobody has a weight, or all are out")
    func nobody() {
        var random = SplitMix64(seed: 1)
        for weights in [[], [0], [0, 0]] {
            let picker = EndpointPicker(weights: weights)
            let found = picker.pick(random: &random, active: { _ in 0 }, isOut: { _ in false })
            #expect(found == nil && picker.pick(random: 1, active: { _ in 0 }) == nil && picker.isEmpty)
        }
        let found = EndpointPicker(weights: [1, 2]).pick(random: &random, active: { _ in 0 }, isOut: { _ in true })
        #expect(found == nil)
    }

    @Test("tried endpoints come again only where no other is left", arguments: [2, 3, 64, 65, 200, 5000])
    func tried(count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        let picker = EndpointPicker(weights: Array(repeating: 1, count: count))
        for _ in 0..<200 {
            var tried = TriedEndpoints()
            var seen: Set<Int> = []
            for attempt in 0..<11 {
                guard let index = picker.pick(random: random.next(), active: { _ in 0 }, excluding: tried) else {
                    Issue.record("nobody")
                    return
                }
                if attempt < count { #expect(!seen.contains(index)) }
                seen.insert(index)
                tried.insert(index)
                #expect(tried.contains(index))
            }
        }
    }

    /// What the supermarket model says of the mean time in a system of many queues at load `rho` where each customer joins the
    /// shorter of two: Σ ρ^(2^i - 2).
    private func supermarket(_ rho: Double) -> Double {
        var (sum, term, power) = (0.0, 1.0, rho * rho)
        while term > 1e-9 {
            sum += term
            term *= power
            power *= power
        }
        return sum
    }

    @Test("queues are as short as the model of two choices has them", arguments: [0.5, 0.8, 0.9])
    func model(rho: Double) {
        let expected = supermarket(rho)
        let speeds = Array(repeating: 1, count: 200)
        var random = SplitMix64(seed: 7)
        let picker = EndpointPicker(weights: speeds)
        let found = QueueSimulation(speeds: speeds, load: rho, seed: 11).run(customers: 120_000) { lengths in
            picker.pick(random: random.next(), active: { lengths[$0] }) ?? 0
        }
        // Queues are finite in number, and so is the run.
        #expect(abs(found - expected) / expected < 0.05, "\(found) rather than \(expected)")
    }

    @Test("servers of different speeds are used nearly as well as by one who knows all queues")
    func ideal() {
        let speeds = (0..<60).map { [1, 2, 4][$0 % 3] }
        var random = SplitMix64(seed: 7)
        let picker = EndpointPicker(weights: speeds)
        let found = QueueSimulation(speeds: speeds, load: 0.8, seed: 3).run(customers: 60_000) { lengths in
            picker.pick(random: random.next(), active: { lengths[$0] }) ?? 0
        }
        let ideal = QueueSimulation(speeds: speeds, load: 0.8, seed: 3).run(customers: 60_000) { lengths in
            speeds.indices.min { (lengths[$0] + 1) * speeds[$1] < (lengths[$1] + 1) * speeds[$0] } ?? 0
        }
        let blind = QueueSimulation(speeds: speeds, load: 0.8, seed: 3).run(customers: 60_000) { _ in
            picker.pick(random: &random, active: nil, isOut: { _ in false }) ?? 0
        }
        #expect(
            found < 2 * ideal && found < blind / 2, "ideal \(ideal), two choices \(found), by weight alone \(blind)")
    }

    @Test("connections that stay are spread by weight, within a few of each one's share")
    func staying() {
        let weights = [1, 2, 3, 4, 10, 0]
        var (random, active) = (SplitMix64(seed: 5), [Int](repeating: 0, count: weights.count))
        let picker = EndpointPicker(weights: weights)
        for _ in 0..<20_000 {
            guard let index = picker.pick(random: random.next(), active: { active[$0] }) else { continue }
            active[index] += 1
        }
        for index in weights.indices {
            #expect(abs(active[index] - weights[index] * 1000) <= 30, "\(active)")
        }
    }
}

/// Queues with exponential times of service, each at its speed, and Poisson arrivals.
private struct QueueSimulation {
    let speeds: [Int]
    let load: Double
    let seed: UInt64

    /// The mean time that a customer spends, in units of the mean service at speed 1 (Little: the mean number of customers divided by
    /// the rate of arrivals). The first tenth is not counted.
    func run(customers: Int, choose: ([Int]) -> Int) -> Double {
        var random = SplitMix64(seed: seed)
        var lengths = [Int](repeating: 0, count: speeds.count)
        let capacity = Double(speeds.reduce(0, +))
        let arrivals = load * capacity
        let servers = speeds.enumerated().flatMap { Array(repeating: $0.offset, count: $0.element) }
        var (present, area, time, arrived) = (0, 0.0, 0.0, 0)
        while arrived < customers {
            // Uniformised: events at a constant rate, of which some do nothing.
            if arrived > customers / 10 {
                area += Double(present)
                time += 1
            }
            let event = random.fraction() * (arrivals + capacity)
            if event < arrivals {
                lengths[choose(lengths)] += 1
                (present, arrived) = (present + 1, arrived + 1)
            } else {
                let server = servers[min(Int(event - arrivals), servers.count - 1)]
                if lengths[server] > 0 { (lengths[server], present) = (lengths[server] - 1, present - 1) }
            }
        }
        return area / time / arrivals
    }
}
