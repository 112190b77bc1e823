import Primitives
import Testing

@Suite("Address lists")
struct AddressListTests {
    @Test("blocks, addresses, comments, blanks and empty lines")
    func grammar() throws {
        let list = try AddressList(
            """
            # published 2026-01-01
            10.0.0.0/8
              192.0.2.7\t# one host\r

            2001:db8::/32#docs
            \t::1
            203.0.113.9/24
            """)
        #expect(list.count == 5)
        let expected = ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "::1/128", "203.0.113.0/24"]
        #expect(list.addresses == CIDRSet(expected.compactMap { CIDR($0) }))
        #expect(try AddressList("10.0.0.0/8\n") == AddressList(utf8: [0xef, 0xbb, 0xbf] + Array("10.0.0.0/8".utf8)))
        #expect(try AddressList("").addresses.isEmpty)
        #expect(try AddressList("\n\n# nothing\n").count == 0)
    }

    @Test(
        "a line that is no address is named, and nothing of the list is used",
        arguments: [
            ("10.0.0.0/8\n\n# x\n10.0.0.0/33\n", 4, "10.0.0.0/33"), ("example.com", 1, "example.com"),
            ("10.0.0.1 10.0.0.2", 1, "10.0.0.1 10.0.0.2"), ("::1\n::ffff:10.0.0.1\n", 2, "::ffff:10.0.0.1"),
            ("fe80::1%eth0/64", 1, "fe80::1%eth0/64"), ("010.0.0.1", 1, "010.0.0.1"), ("10.0.0.0/08", 1, "10.0.0.0/08"),
            ("10.0.0.0/", 1, "10.0.0.0/"), ("/8", 1, "/8"), ("a\u{0}b", 1, "a\\u{0}b"),
        ])
    func problems(text: String, line: Int, shown: String) {
        #expect(throws: AddressListProblem(line: line, text: shown)) { try AddressList(text) }
        #expect(
            AddressListProblem(line: line, text: shown).description
                == "line \(line): \"\(shown)\" is no CIDR such as 10.0.0.0/8 or 2001:db8::/32")
    }

    @Test("a list is what its lines are, one by one")
    func reference() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        for _ in 0..<200 {
            let lines = (0..<Int.random(in: 0...20, using: &random)).map { _ in entry(&random) }
            let blocks = lines.map { line in
                CIDR(line) ?? IPAddress(line).flatMap { CIDR($0, $0.isV4 ? 32 : 128) }
            }
            guard let bad = blocks.firstIndex(of: nil) else {
                let list = try AddressList(lines.joined(separator: "\n"))
                #expect(list.addresses == CIDRSet(blocks.compactMap { $0 }), "seed \(seed)")
                #expect(list.count == lines.count, "seed \(seed)")
                continue
            }
            let problem = AddressListProblem(line: bad + 1, text: lines[bad])
            #expect(throws: problem, "seed \(seed)") { try AddressList(lines.joined(separator: "\n")) }
        }
    }

    /// Now and then no address.
    private func entry(_ random: inout SplitMix64) -> String {
        let v4 = IPAddress.v4(UInt32.random(in: 0 ... .max, using: &random))
        let v6 = IPAddress.v6(high: .random(in: 0 ... .max, using: &random), low: .random(in: 0...9, using: &random))
        switch Int.random(in: 0..<40, using: &random) {
        case 0: return "10.0.0.256"
        case 1..<10: return v6.description
        case 10..<20: return "\(v6)/\(Int.random(in: 0...128, using: &random))"
        case 20..<30: return v4.description
        default: return "\(v4)/\(Int.random(in: 0...32, using: &random))"
        }
    }

    @Test("100,000 lines")
    func many() throws {
        let text = (0..<100_000).map { "10.\($0 >> 16).\($0 >> 8 & 255).\($0 & 255)/32" }.joined(separator: "\n")
        let list = try AddressList(text)
        #expect(list.count == 100_000)
        #expect(
            list.addresses.contains(.v4(0x0a00_0000 + 99_999)) && !list.addresses.contains(.v4(0x0a00_0000 + 100_000)))
    }
}
