/// When a pattern that was not found in what an endpoint sent is looked for again.
///
/// RE2 cannot go on where it stopped, so each search is one of everything. Were there one for every byte that comes, the work would
/// grow with the square of their number. So the next one is due when there is a quarter more, which makes a few times the bytes in
/// all, or after a pause in proportion to the bytes, so that an endpoint that says no more is not kept waiting.
struct PatternPacing: Hashable, Sendable {
    /// As many bytes had been received at the last search; nil: there was none.
    private var searched: Int?
    private var nextCount = 0
    private var nextTime: Int64 = 0
    /// So many bytes were there when a search was put off; nil: none was.
    private(set) var putOff: Int?

    /// Nanoseconds of pause for each byte of the last search: 16 ms after 4 KiB.
    static let pausePerByte: Int64 = 4_000

    /// When the search that was put off is due; nil: none was.
    func due(received: Int) -> Int64? { putOff == nil || searched == received ? nil : nextTime }

    /// `isFinal`: nothing more will come.
    mutating func isDue(received: Int, now: Int64, isFinal: Bool) -> Bool {
        guard let searched else { return true }
        guard received > searched else { return false }
        if isFinal || received >= nextCount || now >= nextTime { return true }
        putOff = received
        return false
    }

    /// A search of `searched` bytes, the last of `received`, found nothing.
    mutating func noteMiss(received: Int, searched count: Int, now: Int64) {
        searched = received
        nextCount = received + max(1, count / 4)
        nextTime = now + Int64(count) * PatternPacing.pausePerByte
        putOff = nil
    }
}
