import COpenSSL
import TestSupport

/// The key's PEM with one byte of its secret scalar changed and its public half as it was.
func foreignSecret(in key: TestKey) throws -> String {
    let lines = try key.pem(.traditional).split(separator: "\n")
    var der = [UInt8](repeating: 0, count: 1024)
    let body = lines.dropFirst().dropLast().joined()
    let count = Int(EVP_DecodeBlock(&der, Array(body.utf8), Int32(body.utf8.count)))
    // SEQUENCE, version, OCTET STRING of 32: the scalar begins at byte 7.
    der[20] ^= 1
    let padding = body.utf8.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    var text = [UInt8](repeating: 0, count: 2048)
    let length = Int(EVP_EncodeBlock(&text, der, Int32(count - padding)))
    let encoded = String(decoding: text.prefix(length), as: UTF8.self)
    var wrapped = ""
    for (index, character) in encoded.enumerated() {
        if index % 64 == 0, index > 0 { wrapped += "\n" }
        wrapped.append(character)
    }
    return "-----BEGIN EC PRIVATE KEY-----\n\(wrapped)\n-----END EC PRIVATE KEY-----\n"
}
