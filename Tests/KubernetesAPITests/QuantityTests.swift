import FoundationEssentials
import KubernetesAPI
import Testing

@Suite("Quantity")
struct QuantityTests {
    @Test(
        "every suffix and exponent, in whole bytes rounded up",
        arguments: [
            ("0", 0), ("1", 1), ("+7", 7), ("-1", -1), ("1.", 1), (".5", 1), ("1.5", 2), ("-1.5", -1), ("007", 7),
            ("1n", 1), ("1u", 1), ("1500m", 2), ("2000m", 2), ("1000000n", 1), ("3000000000n", 3), ("50m", 1),
            ("1k", 1000), ("1M", 1_000_000), ("1G", 1_000_000_000), ("1T", 1_000_000_000_000),
            ("1P", 1_000_000_000_000_000), ("1E", 1_000_000_000_000_000_000),
            ("1Ki", 1024), ("1.5Mi", 1_572_864), ("1Gi", 1 << 30), ("1Ti", 1 << 40), ("1Pi", 1 << 50), ("1Ei", 1 << 60),
            ("0.0001Ki", 1), ("1e3", 1000), ("1E3", 1000), ("1.5e+2", 150), ("1e-3", 1), ("12345.678e2", 1_234_568),
            ("1e-30", 1), ("8Ei", Int64.max), ("1e99", Int64.max), ("-1e99", -Int64.max),
            ("0.00000000000000000000000000001e29", 1), ("1e9223372036854775807", Int64.max), ("0e999", 0),
        ] as [(String, Int64)])
    func value(text: String, bytes: Int64) {
        #expect(Quantity(text).roundedUp == bytes)
    }

    @Test(
        "what is none",
        arguments: [
            "", ".", "+", "-", "ten", "1 Mi", " 1", "1ki", "1K", "1MB", "1Mib", "1mi", "1g", "1e", "1e1.5", "1e++1",
            "1e5k",
            "--1", "1,5", "0x10", "１", "1e9223372036854775808", "∞",
        ])
    func none(text: String) {
        #expect(Quantity(text).billionths == nil && Quantity(text).roundedUp == nil)
    }

    @Test("billionths are exact, and rounded away from zero below")
    func billionths() {
        #expect(Quantity("1.000000001").billionths == 1_000_000_001)
        #expect(Quantity("0.0000000001").billionths == 1)
        #expect(Quantity("-0.0000000001").billionths == -1)
        #expect(Quantity("1.0000000001").billionths == 1_000_000_001)
        #expect(Quantity("0.000000001Ki").billionths == 1024)
        #expect(Quantity("1023.999999999").billionths == 1_023_999_999_999)
        #expect(Quantity("1e30").billionths == Int128(Int64.max) * 1_000_000_000)
    }

    @Test("JSON has it as a number or as a string, and it is written as a string")
    func coding() throws {
        let read = try JSONDecoder().decode([Quantity].self, from: Data(#"[1048576, "10M", "7", -3]"#.utf8))
        #expect(read == [Quantity("1048576"), Quantity("10M"), Quantity("7"), Quantity("-3")])
        #expect(try String(decoding: JSONEncoder().encode(read), as: UTF8.self) == #"["1048576","10M","7","-3"]"#)
        for wrong in ["[1.5]", "[true]", "[{}]"] {
            #expect(throws: (any Error).self) { try JSONDecoder().decode([Quantity].self, from: Data(wrong.utf8)) }
        }
    }
}
