import Platform
import TestSupport
import Testing

@testable import SnapshotCache

@Suite("the cache's file")
struct CacheFileTests {
    private static let marker = "the-marker-of-a-private-key"

    private static func file(_ keys: CacheKeys?) throws -> [UInt8] {
        try CacheFile.seal(Sample.cluster(["a": #"{"x":"\#(marker)"}"#, "ü": "{ }"]), key: keys?.keys.first).bytes
    }

    @Test("what was written is read, with and without a key", arguments: [true, false])
    func roundTrip(isSealed: Bool) throws {
        let keys = isSealed ? try Sample.keys(1) : nil
        for cluster in [
            Sample.cluster(), Sample.cluster([:]), Sample.cluster(["b": #"{"a b":"c / d"}"#, "c": "{}", "d": ""]),
            CachedCluster(origin: Sample.origin, kinds: [], asOf: 0),
        ] {
            let bytes = try CacheFile.seal(cluster, key: keys?.keys.first).bytes
            #expect(try CacheFile.open(WipedBytes(bytes), keys: keys).summary == cluster.summary)
        }
    }

    @Test("the bytes are those of the README")
    func layout() throws {
        let plain = try Self.file(nil)
        #expect(plain[..<8].elementsEqual("SLUICEC\n".utf8))
        #expect(plain[8..<16].elementsEqual([0, 1, 0, 0, 0, 0, 0, 0]))
        #expect(plain[16..<24].reduce(0) { $0 << 8 | Int64($1) } == 1_700_000_000)
        let body = Int(plain[24..<32].reduce(0) { $0 << 8 | Int64($1) })
        #expect(plain.count == 64 + body + 32)
        #expect(plain[32..<64].allSatisfy { $0 == 0 })
        let text = String(decoding: plain[64..<(64 + body)], as: UTF8.self)
        #expect(
            text == """
                {"controllerName":"sluice.dev/gateway-controller","namespace":"sluice-system","server":"https://10.0.0.1:6443"}
                {"count":2,"group":"gateway.networking.k8s.io","plural":"tcproutes","version":"v1"}
                shop/a {"x":"\(Self.marker)"}
                shop/ü { }
                {"count":1,"group":"","plural":"namespaces","version":"v1"}
                /shop {}
                {"count":0,"group":"sluice.dev","plural":"backends","version":"v1alpha1"}

                """)
        #expect(plain.suffix(32).elementsEqual(sha256(Array(plain.dropLast(32)))))
        let sealed = try Self.file(try Sample.keys(1))
        #expect(sealed[10] == 1 && sealed.count == 64 + body + 16)
        let identifier = sha256(Array("sluice cache key\n".utf8) + [UInt8](repeating: 1, count: 32)).prefix(16)
        #expect(sealed[32..<48].elementsEqual(identifier))
    }

    @Test("cut off at any length it is refused", arguments: [true, false])
    func truncation(isSealed: Bool) throws {
        let keys = isSealed ? try Sample.keys(1) : nil
        let file = try Self.file(keys)
        for length in 0..<file.count {
            let found = refusal(of: Array(file[..<length]), keys: keys)
            guard case .damaged? = found else {
                throw TestFailure("\(length) of \(file.count) bytes: \(String(describing: found))")
            }
        }
        #expect(refusal(of: file + [0], keys: keys) != nil)
        #expect(refusal(of: file, keys: keys) == nil)
    }

    @Test("with any bit changed it is refused", arguments: [true, false])
    func tampering(isSealed: Bool) throws {
        let keys = isSealed ? try Sample.keys(1) : nil
        let file = try Self.file(keys)
        for offset in file.indices {
            for bit in 0..<8 {
                var other = file
                other[offset] ^= 1 << bit
                guard refusal(of: other, keys: keys) != nil else { throw TestFailure("bit \(bit) of byte \(offset)") }
            }
        }
    }

    @Test("a key hides all but the header, anew each time, and only that key opens it")
    func encryption() throws {
        let (one, two) = (try Self.file(try Sample.keys(1)), try Self.file(try Sample.keys(1)))
        #expect(one[48..<60] != two[48..<60] && one[64...] != two[64...], "a nonce is used once")
        let parts = [Array(Self.marker.utf8), Array("tcproutes".utf8), Array("10.0.0.1".utf8)]
        let clear = try Self.file(nil)
        for part in parts { #expect(one.firstRange(of: part) == nil && clear.firstRange(of: part) != nil) }
        #expect(refusal(of: one, keys: try Sample.keys(2)) == .otherKey)
        #expect(refusal(of: one, keys: try Sample.keys(2, 1)) == nil, "a key that was rotated still opens")
        #expect(refusal(of: one) == .sealed)
        #expect(refusal(of: try Self.file(nil), keys: try Sample.keys(1)) == .notSealed, "no way around the key")
    }

    @Test("a checksum finds damage and no attacker: who computes it anew is believed; with a key nobody without it is")
    func forgery() throws {
        let good = try Self.file(nil)
        let at = try #require(good.firstRange(of: Self.marker.utf8)).lowerBound
        var plain = Array(good.dropLast(32))
        plain[at] = UInt8(ascii: "T")
        #expect(refusal(of: plain + sha256(plain)) == nil)
        var sealed = try Self.file(try Sample.keys(1))
        sealed[16] ^= 1
        #expect(refusal(of: sealed, keys: try Sample.keys(1)) == .damaged("it is not what was sealed"))
    }

    @Test("another version of the format is named")
    func version() throws {
        var file = try Self.file(nil)
        file[9] = 2
        #expect(refusal(of: file) == .foreignVersion(2))
        #expect("\(CacheProblem.foreignVersion(2))".contains("version 2"))
    }

    @Test(
        "a body that is sealed and makes no sense is refused",
        arguments: [
            "", "{}\n", "no JSON\n", #"{"count":1,"group":"","plural":"x","version":"v1"}"# + "\n",
            #"{"count":-1,"group":"","plural":"x","version":"v1"}"# + "\n",
            #"{"count":9000000000000000000,"group":"","plural":"x","version":"v1"}"# + "\n",
            #"{"count":1,"group":"","plural":"x","version":"v1"}"# + "\nnoname\n",
            #"{"count":1,"group":"","plural":"x","version":"v1"}"# + "\na/b {}",
        ])
    func body(text: String) throws {
        let origin = #"{"controllerName":"c","namespace":"n","server":"s"}"# + "\n"
        let lines = Array((text.isEmpty || text == "{}\n" ? text : origin + text).utf8)
        let header = CacheHeader(seal: .checksum, asOf: 0, bodyCount: lines.count).bytes
        guard case .damaged? = refusal(of: header + lines + sha256(header + lines)) else {
            throw TestFailure("believed: \(text)")
        }
    }

    @Test("keys: a line each, in base64, and a problem says nothing of what they are")
    func keyFile() throws {
        let good = "# the new one\n\(Sample.line(1))\r\n\n \(Sample.line(2)) \n"
        let keys = try CacheKeys(Array(good.utf8)).keys.map { Array($0.bytes) }
        #expect(keys == [1, 2].map { [UInt8](repeating: $0, count: 32) })
        for bad in ["", "# nothing\n", "secret\n", String(Sample.line(1).dropLast(4)), Sample.line(1) + "AAAA"] {
            #expect {
                try CacheKeys(Array(bad.utf8))
            } throws: { error in
                "\(error)".hasPrefix("--cache-key-file: ") && !"\(error)".contains("secret")
                    && !"\(error)".contains(Sample.line(1).prefix(8))
            }
        }
        let many = Array(repeating: Sample.line(1), count: CacheKeys.mostKeys + 1).joined(separator: "\n")
        #expect(throws: CacheProblem.self) { try CacheKeys(Array(many.utf8)) }
        #expect(throws: CacheProblem.self) { try CacheKeys(reading: "/nowhere") }
    }

    @Test("ages in words")
    func ages() {
        let words = [-5, 0, 59, 60, 3599, 3600, 86399, 86400, 200_000].map { ageText(Int64($0)) }
        #expect(
            words == ["0 s", "0 s", "59 s", "1 min", "59 min", "1 h 0 min", "23 h 59 min", "1 d 0 h", "2 d 7 h"])
    }
}
