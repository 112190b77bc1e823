internal import Glibc
internal import Platform
internal import TestSupport

/// The wall clock of programs that are started by ``wrapper``: it is set while they run.
final class ShiftedClock: Sendable {
    private let folder: TemporaryDirectory
    private let library: String
    private let file: String

    init() throws {
        folder = try TemporaryDirectory()
        file = try folder.write([UInt8](repeating: 0, count: 8), to: "shift")
        library = folder.path + "/shifted_clock.so"
        // A Swift toolchain brings clang.
        let compiler = try (try? Installation.program("cc")) ?? Installation.program("clang")
        let source = "\(Installation.root)/Tests/SystemTests/Peers/shifted_clock.c"
        let flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror"]
        _ = try run([compiler] + flags + ["-o", library, source]).checked()
    }

    var environment: [String: String] { ["LD_PRELOAD": library, "SLUICE_TEST_CLOCK": file] }

    /// A command that starts another one with this clock.
    var wrapper: [String] { ["env"] + environment.map { "\($0.key)=\($0.value)" }.sorted() }

    /// The clock is off by that much from now on.
    func set(off shift: Duration) throws {
        // In place: who has mapped the file must find it as long as ever.
        let descriptor = open(file, O_WRONLY | O_CLOEXEC)
        defer { close(descriptor) }
        let written = withUnsafeBytes(of: shift.wholeNanoseconds) { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        guard written == 8 else { throw TestFailure("cannot set the clock: \(Errno(rawValue: errno))") }
    }

    /// What it shows, in nanoseconds since 1970.
    func now(off shift: Duration) -> Int64 { realtimeNanoseconds() + shift.wholeNanoseconds }

    /// Its day, such as `2026-11-22`.
    func day(off shift: Duration) -> String {
        var (seconds, parts) = (time_t(now(off: shift) / 1_000_000_000), tm())
        gmtime_r(&seconds, &parts)
        let text = { (number: Int32) in number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(text(parts.tm_mon + 1))-\(text(parts.tm_mday))"
    }
}

extension Duration {
    static func days(_ days: Int) -> Duration { .seconds(days * 86_400) }
}
