/// PROXY protocol headers as HAProxy 3.0 wrote them, and the one of the specification.
enum CapturedProxyHeader {
    /// The example of §2.1, with what follows it.
    static let specification = Array(
        "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\nHost: 192.168.0.11\r\n\r\n".utf8)

    /// send-proxy
    static let text4 = bytes(
        "50524f58592054435034203132372e302e302e31203132372e302e302e312033383830362034333130310d0a")
    static let text6 = bytes("50524f58592054435036203a3a31203a3a312035323139302034333130320d0a")
    /// send-proxy-v2
    static let binary4 = bytes("0d0a0d0a000d0a515549540a2111000c7f0000017f000001b5c0a85f")
    static let binary6 = bytes(
        """
        0d0a0d0a000d0a515549540a2121002400000000000000000000000000000001000000000000000000000000000000019408a860
        """)
    /// set-proxy-v2-tlv-fmt(0xe1) and crc32c
    static let custom = bytes(
        """
        0d0a0d0a000d0a515549540a2121003a0000000000000000000000000000000100000000000000000000000000000001ce04a862
        e1000c637573746f6d2d34333130360300042fe02e12
        """)
    /// ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c,unique-id and ALPN, of a client with a certificate
    static let tls = bytes(
        """
        0d0a0d0a000d0a515549540a211100907f0000017f000001b204a86103000403f774b301000a706f737467726573716c02000e64
        622e6578616d706c652e636f6d05000d69642d3137303137373434333320004c0700000000210007544c5376312e3322000a636c
        69656e74206f6e652500075253413230343824000a5253412d534841323536230016544c535f4145535f3235365f47434d5f5348
        41333834
        """)
    /// A health check, and a client of a Unix socket with crc32c.
    static let check = bytes("0d0a0d0a000d0a515549540a20000000")
    static let localWithChecksum = bytes("0d0a0d0a000d0a515549540a20000007030004a9b87e8f")

    static let all = [text4, text6, binary4, binary6, custom, tls, check, localWithChecksum]

    static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.filter { !$0.isWhitespace }.utf8.map { $0 - ($0 > 0x39 ? 0x57 : 0x30) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
