internal import Platform

/// How long an informer waits for what. A test makes everything faster by one factor.
struct InformerTiming: Sendable {
    /// Before the second attempt; doubled for each further one. Jitter makes every delay up to a third shorter: 0.8 s here.
    var firstDelay = Duration.milliseconds(1200)
    var longestDelay = Duration.seconds(30)
    /// Before a watch that ended in order at once is opened again; doubled while that goes on.
    var shortestPause = Duration.milliseconds(20)
    var longestPause = Duration.seconds(1)
    /// How long a kind must be missing before its objects are dropped, where its CRD does not tell.
    var absence = Duration.seconds(120)
    /// A server sends a bookmark about every minute: silence for that long and as much again is none.
    var stall = Duration.seconds(60 + 90)
    /// From the opening of a watch to the head of its answer.
    var headTimeout = Duration.seconds(60)
    /// Between two events of a streaming list.
    var initialStall = Duration.seconds(20)
    /// How long the server is asked to keep a watch open, in seconds.
    var watchSeconds = 300.0...600.0
    /// A watch that lived longer than this is not counted as ending at once.
    var settled = Duration.seconds(5)

    /// All times multiplied by `factor`: less than 1 makes a test fast.
    func scaled(by factor: Double) -> InformerTiming {
        var result = self
        let times: [WritableKeyPath<InformerTiming, Duration>] = [
            \.firstDelay, \.longestDelay, \.shortestPause, \.longestPause, \.absence, \.stall, \.headTimeout,
            \.initialStall, \.settled,
        ]
        for time in times { result[keyPath: time] = result[keyPath: time] * factor }
        result.watchSeconds = watchSeconds.lowerBound * factor...watchSeconds.upperBound * factor
        return result
    }
}
