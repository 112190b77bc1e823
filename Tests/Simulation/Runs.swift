extension Simulation {
    /// Runs seeds on several threads, and hands each outcome to `take`, roughly in the order of the seeds; false ends it.
    public static func run(
        seeds: Range<UInt64>, threads: Int, take: (Outcome) -> Bool
    ) async {
        let batch: UInt64 = 50
        var next = seeds.lowerBound
        await withTaskGroup(of: [Outcome].self) { group in
            func begin() -> Bool {
                guard next < seeds.upperBound else { return false }
                let range = next..<min(next + batch, seeds.upperBound)
                next = range.upperBound
                group.addTask { range.map { run(Scenario(seed: $0)) } }
                return true
            }
            for _ in 0..<max(1, threads) { _ = begin() }
            while let outcomes = await group.next() {
                for outcome in outcomes where !take(outcome) {
                    group.cancelAll()
                    return
                }
                _ = begin()
            }
        }
    }
}
