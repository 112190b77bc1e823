internal import COpenSSL
internal import Primitives

/// One PEM block, decoded but not interpreted. Owns the bytes; they are zeroed when it goes.
final class PEMBlock {
    /// From 1, as in the messages.
    let number: Int
    /// Line of its BEGIN, from 1.
    let line: Int
    /// The label: `CERTIFICATE`, say.
    let label: String
    /// Whether its headers say that the bytes are encrypted (the old style; PKCS #8 has a label of its own).
    let isEncrypted: Bool
    let bytes: UnsafeMutableBufferPointer<UInt8>

    fileprivate init(
        number: Int, line: Int, label: String, isEncrypted: Bool, bytes: UnsafeMutableBufferPointer<UInt8>
    ) {
        (self.number, self.line, self.label, self.isEncrypted, self.bytes) = (number, line, label, isEncrypted, bytes)
    }

    deinit { sluice_openssl_secure_free(bytes.baseAddress, bytes.count) }

    var isCertificate: Bool { ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"].contains(label) }
    var isPrivateKey: Bool { label.hasSuffix("PRIVATE KEY") }
    var place: String { "PEM block \(number) (\(label), line \(line))" }
}

/// Decodes every PEM block of a file. `file` is the name used in messages. Nothing is decrypted, nobody is asked for a
/// passphrase, and no copy of the text is made.
func readPEM(_ text: [UInt8], file: String) throws(CertificateProblem) -> [PEMBlock] {
    let lines = try beginLines(text, file: file)
    if lines.isEmpty, text.first == 0x30 {
        throw CertificateProblem("\(file) looks like DER or PKCS #12; PEM is needed")
    }
    var blocks: [PEMBlock] = []
    var failure: String?
    ERR_clear_error()
    text.withUnsafeBytes { buffer in
        let skipped = buffer.starts(with: byteOrderMark) ? byteOrderMark.count : 0
        guard let start = buffer.baseAddress, buffer.count - skipped <= Int(Int32.max),
            let source = BIO_new_mem_buf(start + skipped, Int32(buffer.count - skipped))
        else { return }
        defer { BIO_free(source) }
        while blocks.count < lines.count {
            guard let block = readBlock(source, number: blocks.count + 1, line: lines[blocks.count]) else {
                failure = drainErrors() ?? "it cannot be read"
                return
            }
            blocks.append(block)
        }
    }
    if failure == nil, blocks.count < lines.count { failure = "the file is too large" }
    if let failure {
        throw CertificateProblem(
            "\(file): PEM block \(blocks.count + 1) (line \(lines[blocks.count])) cannot be read: \(failure)")
    }
    return blocks
}

private let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]

private func readBlock(_ source: OpaquePointer, number: Int, line: Int) -> PEMBlock? {
    var label: UnsafeMutablePointer<CChar>?
    var header: UnsafeMutablePointer<CChar>?
    var bytes: UnsafeMutablePointer<UInt8>?
    var count = 0
    let flags = UInt32(PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE)
    guard PEM_read_bio_ex(source, &label, &header, &bytes, &count, flags) == 1, let label, let header else {
        return nil
    }
    defer {
        sluice_openssl_secure_free(label, 0)
        sluice_openssl_secure_free(header, 0)
    }
    return PEMBlock(
        number: number, line: line, label: String(cString: label),
        isEncrypted: String(cString: header).contains("ENCRYPTED"),
        bytes: UnsafeMutableBufferPointer(start: bytes, count: count))
}

/// The lines on which blocks begin. OpenSSL skips a BEGIN line that it does not like (indented, cut off), and what would
/// follow is a chain without one of its certificates: here that is an error.
private func beginLines(_ text: [UInt8], file: String) throws(CertificateProblem) -> [Int] {
    var found: [Int] = []
    var number = 0
    for var line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
        number += 1
        if number == 1, line.starts(with: byteOrderMark) { line = line.dropFirst(byteOrderMark.count) }
        while let last = line.last, isBlank(last) { line = line.dropLast() }
        let isIndented = line.first.map(isBlank) ?? false
        let content = line.drop(while: isBlank)
        let begins = content.starts(with: "-----B".utf8)
        guard begins || content.starts(with: "-----E".utf8) else { continue }
        if isIndented { throw CertificateProblem("\(file): line \(number) of the PEM text is indented") }
        guard content.starts(with: (begins ? "-----BEGIN " : "-----END ").utf8), content.count > 16,
            content.suffix(5).elementsEqual("-----".utf8)
        else { throw CertificateProblem("\(file): line \(number) is not a whole BEGIN or END line") }
        if begins { found.append(number) }
    }
    return found
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
