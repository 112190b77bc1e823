import KubernetesAPI
import Testing

@testable import Translation

@Suite("Names and labels of Services")
struct ServiceNameTests {
    @Test(
        "SHA-256 is FIPS 180-4's",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                String(repeating: "a", count: 1000),
                "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"
            ),
        ])
    func digest(text: String, hex: String) { #expect(SHA256.hex(text) == hex) }

    @Test(
        "a Service's name is a label of RFC 1035, whatever the gateway is called",
        arguments: [
            "a", "1", "1.2.3", "a-b.c", "a.", String(repeating: "x", count: 253), String(repeating: ".", count: 9),
        ])
    func names(gateway: String) {
        let name = ServiceNames.service(of: ObjectKey(namespace: "infra", name: gateway))
        #expect(name.hasPrefix("sluice-") && name.utf8.count <= 63 && name.utf8.count >= 17)
        #expect(name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 })
        #expect(!name.hasSuffix("-"))
    }

    @Test("gateways whose names read alike have Services of their own")
    func distinct() {
        let long = String(repeating: "x", count: 80)
        let keys = [("a", "b-c"), ("a", "b.c"), ("a-b", "c"), ("a", "\(long)1"), ("a", "\(long)2")]
        let names = Set(keys.map { ServiceNames.service(of: ObjectKey(namespace: $0.0, name: $0.1)) })
        #expect(names.count == keys.count)
    }

    @Test(
        "values of labels are valid, and stay what they are where they already were",
        arguments: [
            ("edge", true), ("a.b_c-d", true), (String(repeating: "x", count: 63), true), ("", true),
            (String(repeating: "x", count: 64), false), ("example.com/controller", false), ("a-", false), ("-a", false),
            ("é", false),
        ])
    func values(text: String, isKept: Bool) {
        let value = ServiceNames.labelValue(text)
        #expect((value == text) == isKept)
        #expect(value.utf8.count <= 63)
        #expect(value.utf8.allSatisfy { $0 < 128 } && !value.hasPrefix("-") && !value.hasSuffix("-"))
    }
}
