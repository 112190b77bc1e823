import Certificates
import Testing

@Suite("Names of TLS parameters")
struct TLSNamesTests {
    @Test("names that OpenSSL does not know, or that mean more than one thing, are told apart")
    func names() {
        let ciphers = [
            "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305", "AES256-GCM-SHA384",
            "DHE-RSA-AES256-GCM-SHA384",
        ]
        let wrong = [
            "", "HIGH", "ALL", "ECDHE-RSA-AES128-GCM-SHA256:AES256-GCM-SHA384", "!aNULL", "-AES256-GCM-SHA384",
            "ecdhe-rsa-aes128-gcm-sha256", "TLS_AES_128_GCM_SHA256", "ECDHE-RSA-NULL-SHA", "AECDH-AES128-SHA",
            "PSK-AES128-GCM-SHA256", "@SECLEVEL=0", "nonsense", "ECDHE", "DEFAULT",
        ]
        let groups = ["X25519", "P-256", "secp384r1", "prime256v1"]
        let algorithms = ["rsa_pss_rsae_sha256", "ecdsa_secp256r1_sha256", "ECDSA+SHA256", "ed25519"]
        #expect(unknownTLSNames().isEmpty)
        #expect(unknownTLSNames(ciphers: ciphers, groups: groups, signatureAlgorithms: algorithms).isEmpty)
        #expect(unknownTLSNames(ciphers: ciphers + wrong).ciphers == wrong)
        let noGroups = ["", "X25519:P-256", "?X25519", "*X25519", "DEFAULT", "P-1", "X25519/P-256"]
        #expect(unknownTLSNames(groups: noGroups + groups).groups == noGroups)
        let noAlgorithms = ["", "rsa", "ecdsa_secp256r1_sha256:ed25519", "RSA+", "SHA256"]
        #expect(unknownTLSNames(signatureAlgorithms: algorithms + noAlgorithms).signatureAlgorithms == noAlgorithms)
    }

    @Test("every name that a policy may have is known to the library that is linked")
    func policies() {
        var ciphers: [String] = []
        for exchange in ["ECDHE-ECDSA-", "ECDHE-RSA-", "DHE-RSA-", ""] {
            let hash = exchange.hasPrefix("ECDHE") ? "SHA384" : "SHA256"
            let own = ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA256", "AES128-SHA", "AES256-SHA"]
            ciphers += (own + ["AES256-\(hash)"]).map { exchange + $0 }
            if !exchange.isEmpty { ciphers.append(exchange + "CHACHA20-POLY1305") }
        }
        let groups = [
            "X25519", "X448", "P-256", "P-384", "P-521", "prime256v1", "secp256r1", "secp384r1", "secp521r1",
            "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192",
        ]
        let algorithms = [
            "ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512", "ed25519", "ed448",
            "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512", "rsa_pss_pss_sha256",
            "rsa_pss_pss_sha384", "rsa_pss_pss_sha512", "rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512",
        ]
        let unknown = unknownTLSNames(ciphers: ciphers, groups: groups, signatureAlgorithms: algorithms)
        #expect(unknown.isEmpty, "\(unknown)")
    }
}
