@testable import Engine
import EngineModel

/// Makes lines of notes, without an engine.
final class NoteWriter {
    private let formats = AccessFormats()
    private let ring = AccessRing(size: 64 << 10)

    /// The line of a note.
    func line(_ format: AccessLogFormat = .json, _ fill: (inout AccessDraft) -> Void) -> String {
        var draft = AccessDraft(at: ring.place())
        draft.record.pointee.format = formats.id(of: format).index
        fill(&draft)
        _ = ring.append(draft.base, draft.finish())
        var lines = AccessLines(formats)
        // Times are as the note says, since 1970.
        guard lines.take(from: ring), ring.isEmpty else { return "" }
        return String(decoding: lines.bytes, as: UTF8.self)
    }
}
