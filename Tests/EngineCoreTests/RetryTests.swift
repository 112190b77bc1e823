import EngineCore
import Testing

@Suite("Retries")
struct RetryTests {
    @Test("pauses double up to the longest")
    func doubling() {
        var backoff = RetryBackoff(base: .milliseconds(25), max: .milliseconds(250))
        let pauses = (0..<6).map { _ in backoff.next() }
        #expect(pauses == [25, 50, 100, 200, 250, 250].map { .milliseconds($0) })
        backoff.reset()
        let again = backoff.next()
        #expect(again == .milliseconds(25))
    }

    @Test("a pause of nothing stays so, and a base above the longest is cut to it")
    func limits() {
        var none = RetryBackoff(base: .zero, max: .seconds(1))
        var cut = RetryBackoff(base: .seconds(5), max: .seconds(1))
        let pauses = [none.next(), none.next(), cut.next(), cut.next()]
        #expect(pauses == [.zero, .zero, .seconds(1), .seconds(1)])
    }

    @Test("jitter stays between a half and the whole", arguments: [0, 1, .max / 2, .max] as [UInt64])
    func jitter(random: UInt64) {
        var backoff = RetryBackoff(base: .milliseconds(100), max: .seconds(1))
        let first = backoff.next(random: random)
        let second = backoff.next(random: random)
        #expect(first >= .milliseconds(50) && first <= .milliseconds(100))
        #expect(second >= .milliseconds(100) && second <= .milliseconds(200))
    }
}

@Suite("Endpoint picker", .timeLimit(.minutes(5)))
struct EndpointPickerTests {
    private func shares(_ weights: [Int], excluding: UInt64 = 0, active: (Int) -> Int = { _ in 0 }) -> [Double] {
        let picker = EndpointPicker(weights: weights)
        var random = SplitMix64(seed: 11)
        var counts = [Int](repeating: 0, count: weights.count)
        for _ in 0..<20_000 {
            guard let index = picker.pick(random: random.next(), active: active, excluding: excluding) else { continue }
            counts[index] += 1
        }
        return counts.map { Double($0) / 20_000 }
    }

    @Test("without an endpoint that has a weight, none is chosen")
    func none() {
        #expect(EndpointPicker(weights: []).pick(random: 1, active: { _ in 0 }, excluding: 0) == nil)
        #expect(EndpointPicker(weights: [0, 0, -3]).pick(random: 1, active: { _ in 0 }, excluding: 0) == nil)
    }

    @Test("weight 0 never, one endpoint always, also when it was tried")
    func few() {
        #expect(shares([0, 3, 0]) == [0, 1, 0])
        #expect(shares([1], excluding: 1) == [1])
        #expect(shares([0, 1, 1], excluding: 0b110)[0] == 0)
    }

    @Test("equal endpoints under equal load are chosen alike")
    func even() {
        for share in shares([1, 1, 1, 1]) { #expect(abs(share - 0.25) < 0.02) }
        for share in shares([Int](repeating: 7, count: 200)) { #expect(share > 0.001 && share < 0.011) }
    }

    @Test("the busier of two loses, except where both draws fall on it")
    func busy() {
        let result = shares([1, 1], active: { $0 == 0 ? 10 : 0 })
        #expect(abs(result[0] - 0.25) < 0.02)
    }

    @Test("counts settle in proportion to the weights")
    func settled() {
        let weights = [1, 2, 4, 1]
        let picker = EndpointPicker(weights: weights)
        var random = SplitMix64(seed: 5)
        var active = [0, 0, 0, 0]
        for _ in 0..<8000 {
            guard let index = picker.pick(random: random.next(), active: { active[$0] }) else { continue }
            active[index] += 1
        }
        for (index, weight) in weights.enumerated() { #expect(abs(active[index] - 1000 * weight) <= 25) }
    }

    @Test("endpoints already tried are left out while another is there, beyond 64 as well")
    func excluded() {
        let result = shares([1, 1, 2], excluding: 0b001)
        #expect(result[0] == 0 && abs(result[2] - 0.667) < 0.02)
        let many = shares([Int](repeating: 1, count: 66), excluding: .max)
        #expect(many[..<64].allSatisfy { $0 == 0 } && many[64] > 0.4 && many[65] > 0.4)
    }

    @Test("sums beyond 32 bits do not overflow")
    func large() {
        let result = shares([Int](repeating: 1 << 40, count: 4))
        for share in result { #expect(abs(share - 0.25) < 0.02) }
    }
}
