internal import CLinux
internal import Glibc

/// The terminal of standard input and output, to draw on: keys come one by one and are not shown, and what stood there before is
/// back after ``restore()``. Used by one thread.
public final class Terminal {
    public struct Size: Hashable, Sendable {
        public var columns: Int
        public var rows: Int
        public init(columns: Int, rows: Int) { (self.columns, self.rows) = (columns, rows) }
    }

    private let saved: termios
    private var isTaken = true

    /// Takes the terminal. Fails with ENOTTY where standard input or output is none.
    public init() throws(Errno) {
        var attributes = termios()
        guard isatty(1) == 1, tcgetattr(0, &attributes) == 0 else { throw Errno(rawValue: ENOTTY) }
        saved = attributes
        cfmakeraw(&attributes)
        guard tcsetattr(0, TCSAFLUSH, &attributes) == 0 else { throw Errno(rawValue: errno) }
        // The other screen, without a cursor; a line that is too long is cut rather than wrapped.
        do {
            try StandardStream.output.write("\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l")
        } catch {
            var before = saved
            _ = tcsetattr(0, TCSAFLUSH, &before)
            throw error
        }
    }

    deinit { restore() }

    /// Everything as it was. Again: nothing.
    public func restore() {
        guard isTaken else { return }
        isTaken = false
        try? StandardStream.output.write("\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l")
        var attributes = saved
        // Keys that nobody has read are not for the shell.
        _ = tcsetattr(0, TCSAFLUSH, &attributes)
    }

    /// As it is now; 80 by 24 where the terminal does not say.
    public var size: Size {
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return Size(columns: 80, rows: 24)
        }
        return Size(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }

    /// Bytes of keys, at most 256, where some are there; nil: the terminal is gone. Blocks where none are.
    public func read() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = bytes.withUnsafeMutableBytes { sluice_read(0, $0.baseAddress, $0.count) }
        return count > 0 ? Array(bytes.prefix(Int(count))) : nil
    }
}
