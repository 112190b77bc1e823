internal import Platform

/// Draws what a feed brings until it is told to end: by a key, a signal, or the terminal's end. Belongs to one thread.
final class TopLoop {
    private let feed: TopFeed
    private let terminal: Terminal
    private let signals: SignalDescriptor
    private let address: String
    private var state: TopState
    private var news: TopFeed.News

    /// Those that end it, and the one that says that the terminal has another size.
    static let signalNumbers: [Int32] = [1, 2, 15, resized]
    private static let resized: Int32 = 28

    /// `signals`: of ``signalNumbers``.
    init(_ feed: TopFeed, _ terminal: Terminal, _ signals: consuming SignalDescriptor, address: String, view: TopView) {
        (self.feed, self.terminal, self.address) = (feed, terminal, address)
        self.signals = signals
        state = TopState(view: view)
        news = feed.news
    }

    /// The exit code: 0, or 128 and the number of the signal. The terminal is restored.
    func run() throws(Errno) -> Int32 {
        defer { terminal.restore() }
        feed.want(connections: state.view == .connections)
        while true {
            try draw()
            let ready = try pollReadable([signals.raw, StandardStream.input.rawValue, feed.wake.raw], timeout: nil)
            while let number = signals.read() {
                if number != TopLoop.resized { return 128 + number }
            }
            if ready.contains(1) {
                guard let bytes = terminal.read() else { return 0 }
                if obey(bytes) { return 0 }
            }
            if ready.contains(2) { news = feed.news }
        }
    }

    /// True: it is to end.
    private func obey(_ bytes: [UInt8]) -> Bool {
        let page = TopScreen.page(terminal.size)
        for key in TopKey.keys(bytes) {
            let columns = TopRates(news.now, since: news.before).table(state.view).columns
            if state.press(key, page: page, columns: columns) == .quit { return true }
        }
        feed.want(connections: state.view == .connections)
        return false
    }

    private func draw() throws(Errno) {
        let screen = TopScreen(
            rates: TopRates(news.now, since: news.before), address: address, problem: news.problem)
        let lines = screen.lines(&state, terminal.size)
        // Each line is followed by what takes away the rest of the one that stood there.
        try StandardStream.output.write(
            "\u{1b}[H" + lines.map { $0 + "\u{1b}[K" }.joined(separator: "\r\n") + "\u{1b}[J")
    }
}
