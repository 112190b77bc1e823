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
}
