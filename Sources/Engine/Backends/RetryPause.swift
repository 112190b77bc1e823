internal import EngineModel
internal import Platform

extension BackendSettings {
    /// Milliseconds until the next attempt after that many that failed: twice as long each time, from the base interval to the
    /// longest, of which a random half is left out, so that clients whose endpoint went do not come back together.
    func retryPause(after attempts: UInt8, random: UInt64) -> Int64 {
        let longest = max(0, retryMaxInterval.wholeMilliseconds)
        let base = min(max(0, retryBaseInterval.wholeMilliseconds), longest)
        let doublings = Int64(min(max(attempts, 1) - 1, 16))
        let pause = min(longest, base << doublings)
        return pause - Int64(random % UInt64(pause / 2 + 1))
    }
}
