public import EngineModel

/// The last ten minutes of all traffic: a sample each second, and what was refused by minute. A value of one thread.
public struct TrafficRecorder: Sendable {
    /// Seconds between two samples, and how many are kept.
    public static let interval = 1
    public static let length = 600

    /// Refusals of so many places and reasons are told apart; what goes beyond is in the totals alone.
    static let mostRefusals = 10_000
    /// So many are shown.
    static let mostShown = 100

    private struct Key: Hashable {
        var place: TrafficSample.Place
        var reason: CloseReason
    }
    /// A ring once it is full: then `next` is the oldest.
    private var samples: [LiveTraffic.Sample] = []
    private var next = 0
    private var failed: UInt64 = 0
    private var refusals: [Key: CountsByMinute] = [:]
    private var minute: Int64 = 0

    public init() {}

    /// `time`: milliseconds of a clock that nobody sets.
    public mutating func record(_ sample: TrafficSample, at time: Int64) {
        let minute = time / 60_000
        if minute != self.minute { refusals = refusals.filter { $0.value.isUsed(at: minute) } }
        self.minute = minute
        note(sample.refusals)
        put(LiveTraffic.Sample(sample, failed: failed, time: time))
    }

    /// What was refused since the newest sample, for who can't wait for the next.
    public mutating func note(_ refused: [TrafficSample.Refusal]) {
        for refusal in refused {
            failed &+= refusal.count
            // Who goes before anything was routed is no news to anybody, unlike a reason.
            if refusal.reason == .clientClosed || refusal.reason == .backendClosed { continue }
            let key = Key(place: refusal.place, reason: refusal.reason)
            guard refusals[key] != nil || refusals.count < TrafficRecorder.mostRefusals else { continue }
            refusals[key, default: CountsByMinute(minute)].add(refusal.count, at: minute)
        }
    }

    /// How many connections were refused in the last ten minutes, where and why.
    public func recent() -> [TrafficSample.Place: [CloseReason: UInt64]] {
        refusals.reduce(into: [:]) { all, entry in
            let count = entry.value.minutes(until: minute).reduce(0, &+)
            if count > 0 { all[entry.key.place, default: [:]][entry.key.reason] = count }
        }
    }

    private mutating func put(_ sample: LiveTraffic.Sample) {
        guard samples.count == TrafficRecorder.length else { return samples.append(sample) }
        samples[next] = sample
        next = (next + 1) % samples.count
    }

    /// What is shown of it: all but the objects that a request names. `beginning`: of the clock of ``record(_:at:)``, in milliseconds
    /// since 1970, as far as is known now.
    public func live(since beginning: Int64 = 0) -> LiveTraffic {
        var live = LiveTraffic()
        live.interval = TrafficRecorder.interval
        live.history = Array(samples[next...] + samples[..<next])
        for index in live.history.indices { live.history[index].time += beginning }
        live.total = live.history.last ?? .init()
        live.time = live.total.time
        live.refusals = shown.sorted { $0.order < $1.order }
        live.refusals.removeLast(max(0, live.refusals.count - TrafficRecorder.mostShown))
        return live
    }
}

extension TrafficRecorder {
    /// A route is one place, whatever listeners it is attached to.
    private var shown: [LiveTraffic.Refusal] {
        var byTitle: [String: [CloseReason: [UInt64]]] = [:]
        for (key, counts) in refusals {
            let minutes = counts.minutes(until: minute)
            let known = byTitle[key.place.title]?[key.reason]
            byTitle[key.place.title, default: [:]][key.reason] = known.map { zip($0, minutes).map(&+) } ?? minutes
        }
        return byTitle.flatMap { place, reasons in
            reasons.map { reason, minutes in
                let cause = Cause.of(reason)
                return LiveTraffic.Refusal(
                    reason: reason.rawValue, place: place, minutes: minutes, meaning: cause?.meaning ?? "",
                    advice: cause?.advice ?? "")
            }
        }
    }
}

/// Ten minutes, each with its count.
private struct CountsByMinute: Sendable {
    private static let count = 10
    /// By minute, modulo ten.
    private var counts = [UInt64](repeating: 0, count: CountsByMinute.count)
    private var newest: Int64

    init(_ minute: Int64) { newest = minute }

    mutating func add(_ amount: UInt64, at minute: Int64) {
        // A clock that is set back leaves the counts where they are.
        let steps = min(max(0, minute - newest), Int64(CountsByMinute.count))
        newest = max(newest, minute)
        for step in 0..<steps { counts[slot(newest - step)] = 0 }
        counts[slot(newest)] &+= amount
    }

    func isUsed(at minute: Int64) -> Bool { minute - newest < Int64(CountsByMinute.count) }

    /// The newest last.
    func minutes(until minute: Int64) -> [UInt64] {
        let last = max(minute, newest)
        return (0..<Int64(CountsByMinute.count)).reversed().map { age in
            let wanted = last - age
            return wanted <= newest && newest - wanted < Int64(CountsByMinute.count) ? counts[slot(wanted)] : 0
        }
    }

    private func slot(_ minute: Int64) -> Int { Int(((minute % 10) + 10) % 10) }
}

extension LiveTraffic.Sample {
    fileprivate init(_ sample: TrafficSample, failed: UInt64, time: Int64) {
        self.init()
        (self.time, self.failed, accepted, active) = (time, failed, sample.accepted, sample.active)
        (requestBytes, responseBytes) = (sample.requestBytes, sample.responseBytes)
        (setupNanoseconds, setups) = (sample.setupNanoseconds, sample.setups)
    }
}

extension LiveTraffic.Refusal {
    /// The most frequent first.
    fileprivate var order: (UInt64, String, String) { (.max - minutes.reduce(0, &+), place, reason) }
}

extension TrafficSample.Place {
    /// `Gateway infra/edge/redis`, or the key of a route.
    var title: String {
        switch self {
        case .listener(let id): "Gateway \(id)"
        case .route(let use): use.route.description
        }
    }
}
