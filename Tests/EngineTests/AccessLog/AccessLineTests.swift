@testable import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

/// What notes become, without sockets.
@Suite("Access log: lines")
struct AccessLineTests {
    private func line(
        _ format: AccessLogFormat = .json, hello: [UInt8] = [], _ fill: (inout AccessDraft) -> Void
    ) -> String {
        NoteWriter().line(format, hello: hello, fill)
    }

    @Test("text of a peer stays within its string, whatever it holds")
    func escaped() throws {
        let long = String(repeating: "\u{1}", count: 5000)
        let texts = ["\"},{\"", "a\nb\r\u{1b}[31m", "\u{202e}evil", "é\\", long, "\0"]
        for text in texts {
            for format in [AccessLogFormat.json, .text(try AccessLogTemplate("<%REQUESTED_SERVER_NAME%>"))] {
                let line = line(format) { $0.append(.serverName, text) }
                #expect(line.hasSuffix("\n"))
                #expect(!line.dropLast().unicodeScalars.contains { $0.value < 0x20 || $0 == "\u{202e}" })
                guard format == .json else { continue }
                let fields = try AccessFields(String(line.dropLast()))
                #expect(fields.text(.requestedServerName) == String(text.prefix(AccessRecord.longestText)))
            }
        }
        // Bytes that are no UTF-8, such as a text that was cut within a character.
        let broken = line { draft in
            [UInt8](arrayLiteral: 0xc3, 0x28).withUnsafeBytes { bytes in
                if let start = bytes.baseAddress { draft.append(.serverName, start, 2) }
            }
        }
        #expect(try AccessFields(String(broken.dropLast())).text(.requestedServerName) == "\u{fffd}(")
    }

    @Test("every field has a place in JSON and in templates, and a hyphen where there is none")
    func templates() throws {
        let all = AccessLogField.allCases.map { "%\($0.operatorName)%" }.joined(separator: "|")
        let empty = line(.text(try AccessLogTemplate(all))) { _ in }
        let values = empty.dropLast().split(separator: "|", omittingEmptySubsequences: false)
        #expect(values.count == AccessLogField.allCases.count)
        #expect(values.count { $0 == "-" } == AccessLogField.allCases.count - 11)
        let listener = AccessNames((.gateway, "infra/edge"), (.listener, "db"))
        let route = AccessNames((.route, "shop/r"), (.routeKind, "TCPRoute"))
        let backend = AccessNames((.backend, "Service shop/b:80"))
        let full = line(hello: CapturedClientHello.bytes) { draft in
            for text in AccessText.allCases where text != .upstreamPath { draft.append(text, "t\(text.rawValue)") }
            let record = draft.record
            record.pointee.listener = listener.reference
            record.pointee.route = route.reference
            record.pointee.backend = backend.reference
            (record.pointee.attempts, record.pointee.proxyVersion, record.pointee.throttled) = (1, 1, 1_500_000)
            (record.pointee.proxy, record.pointee.handshake, record.pointee.queue) = (1, 2_000_000, 3_000_001)
            (record.pointee.connect, record.pointee.firstByte) = (4_999, 5_000_000_000)
            record.pointee.flags = [.hasLocal, .hasUpstream, .hasUpstreamLocal, .isTerminated, .isResumed]
            (record.pointee.reason, record.pointee.side) = (.idleTimeout, .proxy)
        }
        withExtendedLifetime((listener, route, backend)) {}
        let fields = try AccessFields(String(full.dropLast()))
        #expect(fields.names == Set(AccessLogField.allCases.map(\.rawValue)))
        #expect(fields.text(.closeDetail) == "t8, ClientPolicy t9")
        #expect(fields.text(.ja4) == CapturedClientHello.ja4)
        #expect(fields.number(.handshakeMilliseconds) == 2)
        #expect(fields.number(.connectMilliseconds) == 0.004)
        #expect(fields.number(.firstByteMilliseconds) == 5000)
        #expect(fields.number(.throttledMilliseconds) == 1.5)
        // In the order of the list.
        let places = AccessLogField.allCases.compactMap { full.firstRange(of: "\"\($0.rawValue)\":")?.lowerBound }
        #expect(places.count == AccessLogField.allCases.count && places == places.sorted())
    }

    @Test(
        "a template that means nothing is refused",
        arguments: [
            ("%NOTHING%", "there is no field %NOTHING%"), ("a % b", "a % without a second one"),
            ("%START_TIME", "a % without"), ("a\nb", "one line"),
        ])
    func wrong(text: String, problem: String) throws {
        let failure = try #require(throws: AccessLogTemplateProblem.self) { _ = try AccessLogTemplate(text) }
        #expect(failure.description.contains(problem))
    }

    @Test("HAProxy's two letters for what ended a connection, and when")
    func termination() {
        let expected: [(CloseReason, CloseSide, AccessStage, String)] = [
            (.clientClosed, .client, .relaying, "--"), (.backendClosed, .backend, .relaying, "--"),
            (.clientClosed, .client, .connecting, "CC"), (.clientReset, .client, .opening, "CR"),
            (.clientReset, .client, .relaying, "CD"), (.backendReset, .backend, .relaying, "SD"),
            (.idleTimeout, .proxy, .relaying, "cD"), (.serverIdleTimeout, .backend, .relaying, "sD"),
            (.connectTimeout, .backend, .connecting, "sC"), (.connectRefused, .backend, .connecting, "SC"),
            (.queueTimeout, .proxy, .connecting, "sQ"), (.queueFull, .proxy, .connecting, "PQ"),
            (.noEndpoints, .proxy, .connecting, "SC"), (.authorizationDenied, .proxy, .opening, "PR"),
            (.inspectionTimeout, .client, .opening, "cR"), (.overload, .proxy, .connecting, "RC"),
            (.adminClosed, .proxy, .relaying, "KD"), (.endpointUnhealthy, .proxy, .relaying, "DD"),
            (.primaryRecovered, .proxy, .relaying, "UD"), (.internalError, .proxy, .connecting, "IC"),
        ]
        for (reason, side, stage, letters) in expected {
            let line = line(.haproxyTCP) { draft in
                (draft.record.pointee.reason, draft.record.pointee.side) = (reason, side)
                draft.record.pointee.stage = stage
            }
            #expect(line.split(separator: " ").dropLast(2).last.map(String.init) == letters, "\(reason): \(line)")
        }
    }

    @Test("notes come out of a ring as they went in, around its end and after it was full", arguments: [4096, 32_768])
    func ring(size: Int) throws {
        let ring = AccessRing(size: size)
        var random = SplitMix64(seed: 11)
        var waiting: [[UInt8]] = []
        var dropped: UInt64 = 0
        for _ in 0..<20_000 {
            if random.next() % 16 < 9 {
                let count = 8 + 8 * Int(random.next() % 112)
                var note = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                withUnsafeBytes(of: UInt32(count)) { note.replaceSubrange(0..<4, with: $0) }
                // Not that of a hello, whose loss is not counted.
                note[6] = AccessEvent.close.rawValue
                let fits = waiting.reduce(count) { $0 + $1.count } <= size
                let place = ring.place()
                place.copyMemory(from: note, byteCount: count)
                _ = ring.append(place, count)
                if fits { waiting.append(note) } else { dropped += 1 }
            } else if let oldest = waiting.first {
                let next = try #require(ring.next)
                #expect(next.load(as: UInt32.self) == UInt32(oldest.count))
                #expect(Array(UnsafeRawBufferPointer(start: next, count: oldest.count)) == oldest)
                ring.drop(oldest.count)
                waiting.removeFirst()
            } else {
                #expect(ring.next == nil && ring.isEmpty)
            }
        }
        #expect(ring.dropped == dropped && dropped > 0)
    }

    @Test("names are there for as long as a note may refer to them")
    func retired() {
        let retired = RetiredNames()
        var names: AccessNames? = AccessNames((.backend, "Service shop/\"b\":80"), nil, retired)
        let reference = names?.reference
        #expect(retired.take().isEmpty)
        names = nil
        let gone = retired.take()
        #expect(gone.count == 1 && retired.take().isEmpty)
        let line = line { $0.record.pointee.backend = reference }
        #expect((try? AccessFields(String(line.dropLast())))?.text(.backend) == "Service shop/\"b\":80")
        retired.free(gone)
    }
}
