@testable import Engine
import EngineModel

/// Makes lines of notes, without an engine.
final class NoteWriter {
    private let formats = AccessFormats()
    private let ring = AccessRing(size: 64 << 10)

    /// The line of a note, after that of its connection's hello.
    func line(
        _ format: AccessLogFormat = .json, hello: [UInt8] = [], _ fill: (inout AccessDraft) -> Void
    ) -> String {
        var lines = AccessLines(formats)
        if !hello.isEmpty {
            NoteWriter.append(hello, of: 0, slot: 0, to: ring)
            guard lines.take(from: ring), ring.isEmpty, lines.isEmpty else { return "" }
        }
        var draft = AccessDraft(at: ring.place())
        draft.record.pointee.format = formats.id(of: format).index
        draft.record.pointee.slot = 0
        fill(&draft)
        _ = ring.append(draft.base, draft.finish())
        // Times are as the note says, since 1970.
        guard lines.take(from: ring), ring.isEmpty else { return "" }
        return String(decoding: lines.bytes, as: UTF8.self)
    }

    /// As ``AccessPort`` does.
    static func append(_ hello: [UInt8], of id: UInt64, slot: Int, to ring: AccessRing) {
        hello.withUnsafeBytes { _ = HelloNote.append($0, of: id, slot: slot, to: ring) }
    }
}
