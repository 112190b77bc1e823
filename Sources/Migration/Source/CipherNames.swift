/// Names of cipher suites and groups in Go's and IANA's words, as OpenSSL calls them.
enum CipherNames {
    /// OpenSSL's names; those that are not offered become a remark.
    static func translated(_ field: SourceField) -> [String] {
        var names: [String] = []
        for item in field.items {
            guard let text = item.scalar else { continue }
            if let name = suites[text] {
                names.append(name)
                item.convert()
            } else if text.hasPrefix("TLS_AES_") || text.hasPrefix("TLS_CHACHA20_") {
                item.drop("A suite of TLS 1.3: these are always offered.")
            } else if text.contains("-"), !text.contains("_") {
                names.append(text)
                item.convert()
            } else {
                item.drop("This suite has no forward secrecy or is not known; it is not offered.")
            }
        }
        return names
    }

    static func groups(_ field: SourceField) -> [String] {
        var names: [String] = []
        for item in field.items {
            guard let text = item.scalar else { continue }
            if let name = curves[text.lowercased()] {
                names.append(name)
                item.convert()
            } else {
                item.drop("This group is not offered.")
            }
        }
        return names
    }

    private static let curves = [
        "curvep256": "P-256", "p-256": "P-256", "secp256r1": "P-256", "prime256v1": "P-256", "curvep384": "P-384",
        "p-384": "P-384", "secp384r1": "P-384", "curvep521": "P-521", "p-521": "P-521", "secp521r1": "P-521",
        "x25519": "X25519", "x448": "X448",
    ]

    private static let suites = [
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305": "ECDHE-ECDSA-CHACHA20-POLY1305",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305": "ECDHE-RSA-CHACHA20-POLY1305",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    ]
}
