internal import COpenSSL
internal import EngineCore
internal import Glibc

/// JA4 of a ClientHello, as FoxIO describes it (technical details of JA4, TLS client): what it offers, counted and hashed, so
/// that the same program has the same text wherever it is met, and however it shuffles its lists.
enum Fingerprint {
    /// `t13d1516h2_8daaf6152771_b186095e22b6`
    static func ja4(_ hello: HelloOutline) -> [UInt8] {
        var text: [UInt8] = [UInt8(ascii: "t")]
        text += version(hello.version)
        text.append(UInt8(ascii: hello.hasServerName ? "d" : "i"))
        text += twoDigits(hello.ciphers.count) + twoDigits(hello.extensions.count) + ends(hello.firstProtocol)
        text.append(UInt8(ascii: "_"))
        text += digest(of: list(hello.ciphers.sorted()))
        text.append(UInt8(ascii: "_"))
        // The server name and ALPN are in the first part, where they are said rather than hashed.
        var extensions = list(hello.extensions.filter { $0 != 0 && $0 != 16 }.sorted())
        if !hello.signatures.isEmpty { extensions += [UInt8(ascii: "_")] + list(hello.signatures) }
        text += digest(of: hello.extensions.isEmpty ? [] : extensions)
        return text
    }

    private static func version(_ version: UInt16) -> [UInt8] {
        switch version {
        case 0x0304: Array("13".utf8)
        case 0x0303: Array("12".utf8)
        case 0x0302: Array("11".utf8)
        case 0x0301: Array("10".utf8)
        case 0x0300: Array("s3".utf8)
        default: Array("00".utf8)
        }
    }

    private static func twoDigits(_ value: Int) -> [UInt8] {
        let value = UInt8(clamping: min(value, 99))
        return [UInt8(ascii: "0") + value / 10, UInt8(ascii: "0") + value % 10]
    }

    /// Of a name with other bytes than letters and digits at its ends: those of its hexadecimal form.
    private static func ends(_ ends: HelloOutline.ProtocolEnds?) -> [UInt8] {
        guard let ends else { return Array("00".utf8) }
        if isAlphanumeric(ends.first), isAlphanumeric(ends.last) { return [ends.first, ends.last] }
        return [digit(ends.first >> 4), digit(ends.last & 15)]
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// `1301,1302`
    private static func list(_ numbers: [UInt16]) -> [UInt8] {
        var text: [UInt8] = []
        for number in numbers {
            if !text.isEmpty { text.append(UInt8(ascii: ",")) }
            for shift in [12, 8, 4, 0] as [UInt16] { text.append(digit(UInt8(number >> shift & 15))) }
        }
        return text
    }

    /// The first six bytes of SHA-256; zeros of nothing.
    private static func digest(of text: [UInt8]) -> [UInt8] {
        guard !text.isEmpty else { return [UInt8](repeating: UInt8(ascii: "0"), count: 12) }
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        SHA256(text, text.count, &digest)
        return digest.prefix(6).flatMap { [digit($0 >> 4), digit($0 & 15)] }
    }
}

/// Fingerprints that were made lately: most clients are one of few programs.
struct FingerprintCache {
    private struct Entry {
        var outline: [UInt8] = []
        var text: [UInt8] = []
    }
    private var entries = [Entry](repeating: Entry(), count: 256)

    /// Of the outline that ``HelloOutline/write(_:limit:to:)`` wrote; empty: that is none.
    mutating func text(of outline: UnsafeRawBufferPointer) -> [UInt8] {
        let place = FingerprintCache.place(of: outline)
        let entry = entries[place]
        if isSame(entry.outline, outline) { return entry.text }
        let text = HelloOutline(outline).map(Fingerprint.ja4) ?? []
        entries[place] = Entry(outline: Array(outline), text: text)
        return text
    }

    private func isSame(_ known: [UInt8], _ outline: UnsafeRawBufferPointer) -> Bool {
        guard known.count == outline.count, let start = outline.baseAddress else { return false }
        return known.withUnsafeBytes { bytes in bytes.baseAddress.map { memcmp($0, start, outline.count) == 0 } ?? false
        }
    }

    private static func place(of bytes: UnsafeRawBufferPointer) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var offset = 0
        while offset &+ 8 <= bytes.count {
            hash = (hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 29
            offset &+= 8
        }
        while offset < bytes.count {
            hash = (hash ^ UInt64(bytes[offset])) &* 0x0000_0100_0000_01b3
            offset &+= 1
        }
        return Int(truncatingIfNeeded: (hash ^ hash >> 32) & 255)
    }
}
