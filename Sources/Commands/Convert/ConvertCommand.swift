internal import FoundationEssentials
internal import Migration
internal import Platform

/// `sluice convert`: other products' configurations to manifests.
public struct ConvertCommand: Sendable {
    private let options: ConvertOptions

    public init(options: ConvertOptions) { self.options = options }

    /// What goes to standard output, and what to standard error; 1 where not everything was converted.
    public struct Result: Sendable {
        public var output: String
        public var summary: String
        public var exitCode: Int32
    }

    /// Throws where the manifests cannot be written.
    public func run() throws -> Result {
        var inputs: [ConversionInput] = []
        var problems: [String] = []
        for path in options.paths { read(path, into: &inputs, &problems, isGiven: true) }
        let conversion = convert(inputs, options: options.conversion)
        problems += conversion.problems
        var output = conversion.text
        if let file = options.file {
            do {
                try Data(conversion.text.utf8).write(to: URL(filePath: file))
            } catch {
                throw StartFailure("cannot write \(file): \(error)")
            }
            output = ""
        }
        let lines = problems + conversion.failures + [summary(of: conversion, problems: problems.count)]
        return Result(
            output: output, summary: lines.map { $0 + "\n" }.joined(),
            exitCode: conversion.failures.isEmpty && problems.isEmpty ? 0 : 1)
    }

    private func summary(of conversion: Conversion, problems: Int) -> String {
        func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }
        var text = count(conversion.converted, "object") + " converted, "
        text += count(conversion.withoutEquivalent, "field") + " without an equivalent"
        if !conversion.failures.isEmpty { text += ", " + count(conversion.failures.count, "part") + " not converted" }
        if problems > 0 { text += ", " + count(problems, "error") }
        return text
    }

    /// Files of a folder count by their endings, a file that is named whatever it is called.
    private func read(_ path: String, into inputs: inout [ConversionInput], _ problems: inout [String], isGiven: Bool) {
        do throws(Errno) {
            if path == "-" {
                inputs.append(ConversionInput(name: "standard input", text: try readFile("/dev/stdin")))
                return
            }
            if try FileStatus(of: path).kind == .directory {
                let folder = path.hasSuffix("/") ? path : path + "/"
                for name in try listDirectory(path).sorted() where !name.hasPrefix(".") {
                    read(folder + name, into: &inputs, &problems, isGiven: false)
                }
            } else if isGiven || [".yaml", ".yml", ".json"].contains(where: path.hasSuffix) {
                inputs.append(ConversionInput(name: path, text: try readFile(path)))
            }
        } catch {
            problems.append("\(path): cannot be read: \(error)")
        }
    }
}
