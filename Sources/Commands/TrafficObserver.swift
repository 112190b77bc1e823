internal import EngineModel
internal import Inspection
internal import Platform

/// Takes a sample of all traffic each second, on a thread of its own, and keeps those of the last ten minutes. For any thread.
final class TrafficObserver: Sendable {
    private let sampler: any TrafficSampling
    private let interval: Duration
    private let recorder = Locked(TrafficRecorder())
    private let phase = Monitored(Phase.idle)

    private enum Phase { case idle, running, stopping, stopped }

    /// `interval`: for tests; a recorder takes it for granted that samples are a second apart.
    init(_ sampler: any TrafficSampling, interval: Duration = .seconds(TrafficRecorder.interval)) {
        (self.sampler, self.interval) = (sampler, interval)
    }

    /// Starts the thread, and takes the first sample. Call once.
    func start() throws(Errno) {
        record()
        phase.update { $0 = .running }
        do throws(Errno) {
            try Thread(named: "observer", yielding: 10) { [self] in run() }.detach()
        } catch {
            phase.update { $0 = .idle }
            throw error
        }
    }

    private func run() {
        var due = MonotonicTime.now() + interval
        while !isStopping(by: due) {
            record()
            // After a pause of the machine what was missed is not made up for.
            due = max(due + interval, .now())
        }
        phase.update { $0 = .stopped }
    }

    private func isStopping(by time: MonotonicTime) -> Bool {
        phase.wait(until: time) { $0 == .stopping ? true : nil } ?? false
    }

    /// What was seen until now.
    var live: LiveTraffic {
        let recorder = recorder.withLock { $0 }
        // The wall's clock may have been set since the samples were taken.
        return recorder.live(since: (realtimeNanoseconds() - MonotonicTime.now().nanoseconds) / 1_000_000)
    }

    /// What was refused in the last ten minutes, until now.
    var refusals: [TrafficSample.Place: [CloseReason: UInt64]] {
        let sample = sampler.next()
        return recorder.withLock { recorder in
            recorder.note(sample.refusals)
            return recorder
        }
        .recent()
    }

    /// Ends the thread, and waits for that.
    func stop() {
        let runs = phase.update { phase in
            guard phase == .running else { return false }
            phase = .stopping
            return true
        }
        if runs { _ = phase.wait { $0 == .stopped ? true : nil } }
    }

    private func record() {
        let sample = sampler.next()
        recorder.withLock { $0.record(sample, at: MonotonicTime.now().nanoseconds / 1_000_000) }
    }
}
