internal import Glibc
internal import Platform
internal import TestSupport

/// A program that a test started: its output goes to files, it is ended when the last reference goes, and what it said is
/// shown where the test fails.
final class Program: Sendable {
    let name: String
    private let endingSignal: Int32
    private let child: ChildProcess
    private let directory: TemporaryDirectory

    /// `name` is for messages. Standard input is empty. `endingSignal`: what ends it together with its children.
    init(
        _ name: String, _ arguments: [String], environment: [String: String] = [:], endingSignal: Int32 = SIGKILL
    ) throws {
        self.name = name
        self.endingSignal = endingSignal
        directory = try TemporaryDirectory()
        let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
        let output = open("\(directory.path)/out", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        let error = open("\(directory.path)/err", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { for descriptor in [input, output, error] { close(descriptor) } }
        do {
            child = try ChildProcess(arguments, environment: environment, input: input, output: output, error: error)
        } catch {
            throw TestFailure("cannot start \(arguments.joined(separator: " ")): \(error)")
        }
        Journal.started(self)
    }

    deinit {
        if child.poll() == nil {
            child.signal(endingSignal)
            if !waitUntil(deadline: .seconds(5), { child.poll() != nil }) { child.signal(SIGKILL) }
            _ = child.wait()
        }
        Journal.ended(transcript)
    }

    var identifier: Int32 { child.identifier }
    /// What it wrote so far.
    var output: String { text("out") }
    var errors: String { text("err") }
    /// How it ended; nil while it runs.
    var ending: ChildProcess.Ending? { child.poll() }

    func signal(_ number: Int32) { child.signal(number) }

    /// Waits for its end.
    @discardableResult
    func waitForEnd(within deadline: Duration) throws -> ChildProcess.Ending {
        guard waitUntil(deadline: deadline, { child.poll() != nil }), let ending = child.poll() else {
            throw TestFailure("\(name) did not end within \(deadline)")
        }
        return ending
    }

    /// Polls `body` until it gives a value; fails as soon as the program has ended without one.
    func wait<Value>(for what: String, within deadline: Duration = .seconds(15), _ body: () throws -> Value?) throws
        -> Value
    {
        let end = MonotonicTime.now() + deadline
        while true {
            let ended = child.poll()
            if let value = try body() { return value }
            if let ended { throw TestFailure("\(name) ended (\(ended)) before \(what)") }
            guard MonotonicTime.now() < end else { throw TestFailure("\(name): no \(what) within \(deadline)") }
            usleep(2000)
        }
    }

    /// Waits for a line of standard output that begins with `prefix`, and returns the rest of it.
    func line(after prefix: String, within deadline: Duration = .seconds(15)) throws -> String {
        try wait(for: "line '\(prefix)…'", within: deadline) {
            let complete = output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            return complete.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
        }
    }

    /// The last of what it wrote, for a failure's report.
    var transcript: String {
        var text = "--- \(name) (\(child.poll().map { "\($0)" } ?? "running"))"
        for (label, stream) in [("stdout", output), ("stderr", errors)] where !stream.isEmpty {
            text += "\n\(label):\n" + stream.suffix(6000)
        }
        return text
    }

    private func text(_ file: String) -> String {
        String(decoding: (try? readFile("\(directory.path)/\(file)", limit: 64 << 20)) ?? [], as: UTF8.self)
    }
}

/// What a finished command left.
struct CommandResult: Sendable {
    let command: String
    let ending: ChildProcess.Ending
    let output: String
    let errors: String
    var succeeded: Bool { ending == .exited(code: 0) }

    /// Standard output of a command that must have succeeded.
    func checked() throws -> String {
        guard succeeded else { throw TestFailure("\(command) failed (\(ending)): \(errors)\n\(output)") }
        return output
    }
}

/// Runs a command to its end.
func run(_ arguments: [String], environment: [String: String] = [:], within deadline: Duration = .seconds(20)) throws
    -> CommandResult
{
    let program = try Program(arguments.joined(separator: " "), arguments, environment: environment)
    let ending = try program.waitForEnd(within: deadline)
    return CommandResult(
        command: arguments.joined(separator: " "), ending: ending, output: program.output, errors: program.errors)
}
