"""Which of tlsfuzzer's scripts are run, and which of their conversations may end otherwise than they want, and why."""

# With ephemeral keys where a script can: without them most send hellos of before TLS 1.2, which name no signature algorithm and so
# mean SHA-1, and no listener signs with that.
_EPHEMERAL = """
aes-gcm-nonces atypical-padding ccs connection-abort conversation cve-2016-2107 early-application-data encrypt-then-mac fuzzed-MAC
fuzzed-ciphertext fuzzed-padding fuzzed-plaintext hello-request-by-client invalid-content-type no-heartbeat no-mlkem-in-old-tls
renegotiation-disabled ssl-death-alert zero-length-data
client-hello-max-size cve-2016-6309 encrypt-then-mac-renegotiation fallback-scsv interleaved-application-data-in-renegotiation
invalid-compression-methods legacy-renegotiation message-skipping record-layer-fragmentation renegotiation-changed-clienthello
sslv2hello-protocol truncating-of-client-hello version-numbers
""".split()
_TLS12 = """
bleichenbacher-timing-pregenerate cve-2016-7054 dhe-rsa-key-exchange-with-bad-messages ecdhe-rsa-key-exchange-with-bad-messages
interleaved-CKE-with-CCS lucky13 sig-algs sslv2-force-cipher sslv2-force-cipher-3des sslv2-force-cipher-non3des
sslv2-force-export-cipher
""".split()
_TLS13 = """
0rtt-garbage ccs connection-abort conversation dhe-shared-secret-padding ecdhe-curves empty-alert ffdhe-sanity finished
finished-plaintext hrr invalid-ciphers keyshare-omitted nociphers pkcs-signature record-padding rsa-signatures serverhello-random
unencrypted-alert zero-content-type
crfg-curves legacy-version signature-algorithms symetric-ciphers version-negotiation zero-length-data
""".split()


def _pattern(words, prefix=""):
    """{script: regular expression for the names of its conversations}."""
    return {f"test-{prefix}{script}.py": pattern for script, pattern in words.items()}


_NOT_READABLE = _pattern({
    "message-skipping": "SSLv3|TLS 1|skip Client Hello", "sslv2hello-protocol": "SSLv2",
    "truncating-of-client-hello": "truncate|pad|past extensions", "version-numbers": r"version \(",
    "tls13-legacy-version": r"version \((0|1|2), ", "tls13-version-negotiation": "SSL 2.0"})
_INTERRUPTED = _pattern({"tls13-zero-length-data": "interleaved in handshake"})
_TOO_LONG = _pattern({
    "client-hello-max-size": "max", "cve-2016-6309": "Large", "record-layer-fragmentation": "max",
    "tls13-signature-algorithms": "schemes|methods"})
_OLD = _pattern({"fallback-scsv": "TLSv1.1", "tls13-version-negotiation": "to 1.[01]$"})
_NOT_THERE = _pattern({"sig-algs": "rsa_pss_pss", "tls13-symetric-ciphers": "CCM"})
_OTHER_ALERT = _pattern({
    "invalid-compression-methods": "compression method", "tls13-crfg-curves": "empty", "tls13-finished": "^padding",
    "tls13-legacy-version": r"\(3, 0\)"})
_NO_RENEGOTIATION = _pattern({
    "encrypt-then-mac-renegotiation": "renegotiation", "interleaved-application-data-in-renegotiation": "data",
    "legacy-renegotiation": "renegotia", "renegotiation-changed-clienthello": "renegotiation"})
_FALLBACK = _pattern({"fallback-scsv": "FALLBACK"})

# (why, what was answered, in which conversations of which scripts)
EXPLAINED = [
    ("no readable ClientHello: reset without an alert", "Unexpected closure", _NOT_READABLE),
    ("a ClientHello that another record interrupts: the rest is waited for, until its time is over", "Timeout|Unexpected closure",
     _INTERRUPTED),
    ("a ClientHello above 16 KiB: reset without an alert", "Unexpected closure", _TOO_LONG),
    ("TLS 1.1 and older are not spoken", "protocol_version", _OLD),
    ("a suite, group or certificate that the listener has not", r"Alert\(fatal, handshake_failure\)", _NOT_THERE),
    # Where it comes while the client still sends it is told in other words.
    ("OpenSSL's choice of another alert", r'Expected alert description ".*" does not match|message from peer: Alert\(fatal, illegal_parameter\)',
     _OTHER_ALERT),
    ("there is no renegotiation", 'no_renegotiation|Alert level 1 != 2, .* received "no', _NO_RENEGOTIATION),
    ("a fallback from TLS 1.3 is told: the script thinks of servers without it", "inappropriate_fallback|protocol_version", _FALLBACK),
]

# (script, flags)
RUNS = [*((f"test-{name}.py", ("-d",)) for name in _EPHEMERAL), *((f"test-{name}.py", ()) for name in _TLS12),
        *((f"test-tls13-{name}.py", ()) for name in _TLS13)]
