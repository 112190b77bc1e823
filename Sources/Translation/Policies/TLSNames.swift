internal import KubernetesAPI

// Fields with names that the TLS library does not know: a list that is shorter than its author thinks must not be accepted.

extension BackendPolicy.TLS {
    var unknownNames: [String] {
        [
            TLSNames.unknown(ciphers, TLSNames.ciphers).map { "ciphers: \($0) is no cipher suite of TLS 1.2" },
            TLSNames.unknown(ecdhCurves, TLSNames.groups).map { "ecdhCurves: \($0) is no known group" },
        ].compactMap { $0 }
    }
}

extension ClientPolicy.TLS {
    var unknownNames: [String] {
        [
            TLSNames.unknown(ciphers, TLSNames.ciphers).map { "ciphers: \($0) is no cipher suite of TLS 1.2" },
            TLSNames.unknown(ecdhCurves, TLSNames.groups).map { "ecdhCurves: \($0) is no known group" },
            TLSNames.unknown(signatureAlgorithms, TLSNames.signatureAlgorithms).map {
                "signatureAlgorithms: \($0) is no known signature algorithm"
            },
        ].compactMap { $0 }
    }
}

/// Names that every OpenSSL 3 knows, those of the TLS registry (RFC 8446 §4.2.3), that make sense for a server.
private enum TLSNames {
    /// The names that are not known, as a message has them; nil: there are none.
    static func unknown(_ names: [String]?, _ known: Set<String>) -> String? {
        let unknown = (names ?? []).filter { !known.contains($0) }
        return unknown.isEmpty ? nil : unknown.joined(separator: ", ")
    }

    static let ciphers: Set<String> = {
        let exchanges = ["ECDHE-ECDSA-", "ECDHE-RSA-", "DHE-RSA-", ""]
        var names: Set<String> = []
        for exchange in exchanges {
            for cipher in ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA256", "AES128-SHA", "AES256-SHA"] {
                names.insert(exchange + cipher)
            }
            names.insert(exchange + (exchange.hasPrefix("ECDHE") ? "AES256-SHA384" : "AES256-SHA256"))
            if !exchange.isEmpty { names.insert(exchange + "CHACHA20-POLY1305") }
        }
        return names
    }()

    static let groups: Set<String> = [
        "X25519", "X448", "P-256", "P-384", "P-521", "prime256v1", "secp256r1", "secp384r1", "secp521r1",
        "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192",
    ]

    static let signatureAlgorithms: Set<String> = [
        "ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512", "ed25519", "ed448",
        "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512", "rsa_pss_pss_sha256", "rsa_pss_pss_sha384",
        "rsa_pss_pss_sha512", "rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512",
    ]
}
