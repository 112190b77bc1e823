internal import EngineModel
internal import Observability
internal import Platform

/// Names of something that is configured, as lines have them, in memory that stays where it is for as long as notes may
/// refer to it: they do by address, and are read when its owner may be gone. Written in init only.
final class AccessNames: Sendable {
    /// Where names are. What it refers to never changes; whoever uses it knows that it is still there.
    struct Reference: @unchecked Sendable {
        // Sendable because nothing is ever written there.
        fileprivate let base: UnsafeMutableRawPointer

        private var header: UnsafePointer<Header> { UnsafePointer(base.assumingMemoryBound(to: Header.self)) }

        /// `,"name":"value"` for each of them; beyond it ``AccessNames/slack`` bytes can be read.
        var members: UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(start: base + MemoryLayout<Header>.stride, count: header.pointee.members)
        }
        var first: UnsafeRawBufferPointer { texts(at: 0, header.pointee.first) }
        var second: UnsafeRawBufferPointer { texts(at: header.pointee.first, header.pointee.second) }

        private func texts(at offset: Int, _ count: Int) -> UnsafeRawBufferPointer {
            let start = base + MemoryLayout<Header>.stride + header.pointee.members
            return UnsafeRawBufferPointer(start: start + offset, count: count)
        }
    }
    private struct Header {
        var members: Int
        var first: Int
        var second: Int
    }
    let reference: Reference
    private let retired: RetiredNames?

    /// Bytes of one name that are kept.
    private static let longest = 1024
    /// What can be read beyond the members, so that they can be copied in large pieces.
    static let slack = 64

    /// `retired` keeps them for notes that have still to be read; nil: there are no notes.
    init(
        _ first: (field: AccessLogField, name: String), _ second: (field: AccessLogField, name: String)? = nil,
        _ retired: RetiredNames? = nil
    ) {
        self.retired = retired
        let names = [first, second].compactMap { $0 }.map {
            ($0.field, Array($0.name.utf8.prefix(AccessNames.longest)))
        }
        var bytes: [UInt8] = []
        for (field, name) in names where !name.isEmpty {
            bytes += Array(",\"\(field.rawValue)\":".utf8)
            JSONText.append(String(decoding: name, as: UTF8.self), to: &bytes)
        }
        let header = Header(
            members: bytes.count, first: names[0].1.count, second: names.count > 1 ? names[1].1.count : 0)
        for (_, name) in names { bytes += name }
        bytes += [UInt8](repeating: 0, count: AccessNames.slack)
        let base = UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<Header>.stride + bytes.count, alignment: MemoryLayout<Header>.alignment)
        base.initializeMemory(as: Header.self, to: header)
        (base + MemoryLayout<Header>.stride).initializeMemory(as: UInt8.self, from: bytes, count: bytes.count)
        reference = Reference(base: base)
    }

    deinit {
        if let retired { retired.add(reference) } else { reference.base.deallocate() }
    }

    fileprivate static func free(_ references: [Reference]) {
        for reference in references { reference.base.deallocate() }
    }
}

/// Names whose owners are gone, until no note refers to them. Connections hold those owners to their end, so a note that
/// does was written before they came here. Safe to use from any thread.
final class RetiredNames: Sendable {
    private let all = Locked<[AccessNames.Reference]>([])
    private let signal: EventDescriptor?

    /// So many wake whoever frees them, who may have nothing else to do for long.
    static let many = 1024

    /// `signal` wakes whoever frees them.
    init(signal: EventDescriptor? = nil) { self.signal = signal }

    deinit { AccessNames.free(all.withLock { $0 }) }

    func add(_ reference: AccessNames.Reference) {
        let count = all.withLock { all in
            all.append(reference)
            return all.count
        }
        if count.isMultiple(of: RetiredNames.many) { signal?.signal() }
    }

    /// Those that came until now: for whoever reads all notes that were written until now, and then gives them to ``free(_:)``.
    func take() -> [AccessNames.Reference] {
        all.withLock { all in
            defer { all = [] }
            return all
        }
    }

    func free(_ references: [AccessNames.Reference]) { AccessNames.free(references) }
}
