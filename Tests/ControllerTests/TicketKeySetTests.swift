import EngineModel
import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import Primitives
import Testing

@testable import Controller

@Suite("Keys of session tickets")
struct TicketKeySetTests {
    private let set = TicketKeySet.fresh(at: 1_000_000, makeKey: TicketKey.random)

    /// As the API server gives it back.
    private func secret(_ object: JSONValue) -> Secret {
        let metadata = object["metadata"]
        let annotations = (metadata?["annotations"]?.fields ?? [:]).compactMapValues(\.text)
        let data = (object["data"]?.fields ?? [:]).compactMapValues(\.text)
        return Secret(metadata: ObjectMeta(name: "t", annotations: annotations), data: data)
    }

    @Test("a rotation moves every key on by one and adds one")
    func rotation() {
        let third = TicketKey.random()
        let rotated = set.rotated(at: 1_001_800, next: third)
        #expect(rotated == TicketKeySet(next: third, current: set.next, previous: set.current, rotatedAt: 1_001_800))
        let again = rotated.rotated(at: 1_003_600, next: .random())
        #expect(again.current == third && again.previous == set.next && !again.keys.contains(set.current))
        #expect(rotated.keys.first == rotated.current && Set(rotated.keys).count == 3)
    }

    @Test(
        "keys are rotated each half of a lifetime, and no sooner than each two minutes",
        arguments: [(3600, 1800), (86400, 43200), (600, 300), (240, 120), (10, 120), (1, 120)] as [(Int64, Int64)])
    func period(lifetime: Int64, period: Int64) {
        #expect(TicketKeySet.period(lifetime: .seconds(lifetime)) == period)
    }

    @Test("a rotation is due a period after the last, and when that lies ahead further than clocks may differ")
    func due() {
        #expect(!set.isDue(at: 1_000_000, period: 1800))
        #expect(!set.isDue(at: 1_001_799, period: 1800))
        #expect(set.isDue(at: 1_001_800, period: 1800))
        #expect(set.isDue(at: 9_000_000, period: 1800))
        // The clock of the leader before went ahead a little, or by years.
        #expect(!set.isDue(at: 999_000, period: 1800))
        #expect(set.isDue(at: 998_199, period: 1800))
        var unknown = set
        unknown.rotatedAt = 0
        #expect(unknown.isDue(at: 1_000_000, period: 43200))
    }

    @Test("a Secret holds what was put into it, and what others put there stays")
    func secretRoundTrip() throws {
        let key = ObjectKey(namespace: "sluice-system", name: "t")
        let first = set.secret(key, owner: OwnerMarker(name: "sluice", uid: "u"))
        #expect(try TicketKeySet(secret(first)) == set)
        #expect(first["metadata"]?["ownerReferences"]?.elements?.first?["uid"]?.text == "u")
        #expect(first["metadata"]?["annotations"]?["sluice.dev/rotated-at"]?.text == "1970-01-12T13:46:40Z")
        var fields = first.fields ?? [:]
        var metadata = first["metadata"]?.fields ?? [:]
        metadata["resourceVersion"] = .string("7")
        fields["metadata"] = .object(metadata)
        let rotated = set.rotated(at: 1_001_800, next: .random())
        let second = rotated.put(into: .object(fields))
        #expect(try TicketKeySet(secret(second)) == rotated)
        #expect(second["metadata"]?["resourceVersion"]?.text == "7" && second["type"]?.text == "Opaque")
    }

    @Test("a Secret that holds no keys is answered in words, without what it holds")
    func badSecret() throws {
        let good = secret(set.secret(ObjectKey(namespace: "s", name: "t"), owner: nil))
        func problem(_ change: (inout [String: String]) -> Void) -> String? {
            var bad = good
            var data = good.data ?? [:]
            change(&data)
            bad.data = data
            do throws(TicketSecretProblem) { _ = try TicketKeySet(bad) } catch { return error.description }
            return nil
        }
        #expect(problem { $0["next"] = nil } == "next and current are not both there")
        #expect(problem { $0 = [:] } == "next and current are not both there")
        #expect(problem { $0["current"] = "c2VjcmV0" } == "current is not 80 bytes")
        #expect(problem { $0["previous"] = "?" } == "previous is not 80 bytes")
        #expect(problem { $0["next"] = $0["current"] } == "two keys have the same name")
        #expect(problem { _ in } == nil)
    }

    @Test("no key is ever printed")
    func secrecy() throws {
        let key = try #require(
            TicketKey(
                name: Array(0..<16), encryptionKey: Array(repeating: 0xab, count: 32),
                authenticationKey: Array(repeating: 0xcd, count: 32)))
        let ring = TicketKeyRing(keys: [key], sealing: 0)
        var dumped = ""
        dump(ring, to: &dumped)
        let set = TicketKeySet(next: key, current: key, previous: key, rotatedAt: 0)
        let object = set.secret(ObjectKey(namespace: "", name: ""), owner: nil)
        let watched = WatchedSecret.present(secret(object))
        dump(watched, to: &dumped)
        for text in [
            "\(key)", String(reflecting: key), "\(ring)", String(reflecting: ring), "\(set)", "\(watched)",
            String(reflecting: watched), dumped,
        ] {
            #expect(!text.contains("171") && !text.contains("abab") && !text.contains("205") && !text.contains("q6ur"))
        }
        #expect("\(key)" == "ticket key 00010203")
    }

    @Test("a file has a key a line; the first one seals")
    func file() throws {
        let keys = (0..<3).map { _ in TicketKey.random() }
        let lines = keys.map { base64($0.bytes) }
        let text = "# keys\n\n \(lines[0]) \r\n\(lines[1])\n\(lines[2])"
        #expect(try TicketKeyFile(Array(text.utf8)).ring == TicketKeyRing(keys: keys, sealing: 0))
        func problem(_ text: String) -> String? {
            do throws(TicketSecretProblem) { _ = try TicketKeyFile(Array(text.utf8)) } catch {
                return error.description
            }
            return nil
        }
        #expect(problem("") == "there are 0 keys; needed are 1 to 16")
        #expect(problem("\(lines[0])\nc2VjcmV0\n") == "line 2 is not 80 bytes in base64")
        #expect(problem("\(lines[0])\n\(lines[0])") == "line 2: its first 16 bytes are those of another key")
        #expect(
            problem((0..<17).map { _ in base64(TicketKey.random().bytes) }.joined(separator: "\n"))
                == "there are 17 keys; needed are 1 to 16")
    }

    private func base64(_ bytes: [UInt8]) -> String {
        TicketKeySet(next: .random(), current: TicketKey(bytes: bytes) ?? .random(), previous: nil, rotatedAt: 0)
            .secret(ObjectKey(namespace: "", name: ""), owner: nil)["data"]?["current"]?.text ?? ""
    }
}
