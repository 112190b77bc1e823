extension Cause {
    /// What a handshake with a client failed of (`tls_error`): by the label `result` of `sluice_tls_handshakes_total`, with
    /// which `close_detail` begins.
    public static let details: [Cause] = [
        Cause(
            name: "no_certificate", meaning: "the listener has no certificate that the client can use",
            advice:
                "add a certificate of a kind that the client knows (RSA, ECDSA) to certificateRefs of the listener"),
        Cause(
            name: "unsupported_version", meaning: "client and listener have no version of TLS in common",
            advice: "update the client, or lower tls.minVersion in the ClientPolicy (1.2 is the least)"),
        Cause(
            name: "no_shared_cipher", meaning: "client and listener have no cipher in common",
            advice:
                "compare tls.ciphers, ecdhCurves and signatureAlgorithms of the ClientPolicy with what the client "
                + "offers"),
        Cause(
            name: "client_rejected_certificate", meaning: "the client does not accept the listener's certificate",
            advice:
                "check that the certificate is valid, names the server name that the client uses, and is issued by a CA "
                + "that it trusts"),
        Cause(
            name: "bad_record", meaning: "the client sent what cannot be decrypted or read as TLS",
            advice: "look for a broken client, or a device that changes the stream"),
        Cause(
            name: "client_cert_required", meaning: "the client showed no certificate, and the listener demands one",
            advice: "give the client a certificate that a CA of tls.frontend of the Gateway issued"),
        Cause(
            name: "client_cert_expired", meaning: "the client's certificate is expired or not valid yet",
            advice: "renew the client's certificate, and compare the clocks"),
        Cause(
            name: "client_cert_unknown_ca", meaning: "no CA that the listener trusts issued the client's certificate",
            advice:
                "add the issuer to caCertificateRefs of the Gateway's tls.frontend, or let the client send its "
                + "intermediates"),
        Cause(
            name: "client_cert_invalid", meaning: "the client's certificate cannot be verified",
            advice: "close_detail says why: look at the certificate's usages, constraints and signature"),
        Cause(
            name: "client_cert_revoked", meaning: "the client's certificate is revoked",
            advice: "issue another one, or take it out of the revocation list"),
        Cause(
            name: "client_cert_san_mismatch",
            meaning:
                "the client's certificate has none of the names that a ClientPolicy demands",
            advice: "compare the certificate's names with subjectAltNames of tls.clientValidation"),
        Cause(
            name: "client_cert_key_mismatch",
            meaning:
                "the client's key is none of those that a ClientPolicy demands",
            advice: "add the key's SHA-256 to spkiHashes of tls.clientValidation"),
        Cause(
            name: "client_crl_expired",
            meaning:
                "the revocation list has run out, so that no client certificate is accepted",
            advice: "publish a fresh list in the Secret or ConfigMap that the ClientPolicy names"),
        Cause(
            name: "client_crl_missing",
            meaning:
                "there is no revocation list of the CA that issued the client's certificate",
            advice: "add that CA's list to crlRefs of tls.clientValidation"),
        Cause(
            name: "no_application_protocol",
            meaning:
                "the client offers no application protocol (ALPN) of the listener's",
            advice:
                "compare what the client offers with alpnProtocols of the ClientPolicy, and with appProtocol of the "
                + "Service"),
        Cause(
            name: "client_closed", meaning: "the client went away during the handshake",
            advice: "look at the client: it gave up, or does not trust the certificate and says nothing"),
    ]
}
