internal import Platform
internal import TestSupport

/// The manifests of a folder under examples/ as they stand there, except for ports: a test takes those that are free.
struct Example {
    /// One document of all its files, in the order of their names.
    private(set) var text = ""

    /// `ports`: what stands in the manifests, and what takes its place; each must occur. `folder`: where a copy with files of
    /// its own is.
    init(_ name: String, in folder: String? = nil, ports: [UInt16: UInt16]) throws {
        let path = folder ?? "\(Installation.root)/examples/\(name)"
        for file in try listDirectory(path).sorted() where file.hasSuffix(".yaml") {
            text += String(decoding: try readFile("\(path)/\(file)"), as: UTF8.self) + "\n---\n"
        }
        for (old, new) in ports {
            let changed = try replacing("port: \(old)", with: "port: \(new)", endsNumber: true)
            text = changed.text
        }
    }

    /// With each `old` replaced; it must occur.
    func replacing(_ old: String, with new: String) throws -> Example {
        try replacing(old, with: new, endsNumber: false)
    }

    private func replacing(_ old: String, with new: String, endsNumber: Bool) throws -> Example {
        var (result, rest, count) = ("", text[...], 0)
        while let found = rest.firstRange(of: old) {
            let isWhole = !endsNumber || !(rest[found.upperBound...].first?.isNumber ?? false)
            result += rest[..<found.lowerBound] + (isWhole ? new : old)
            rest = rest[found.upperBound...]
            if isWhole { count += 1 }
        }
        guard count > 0 else { throw TestFailure("the example does not say '\(old)':\n\(text)") }
        var copy = self
        copy.text = result + rest
        return copy
    }
}
