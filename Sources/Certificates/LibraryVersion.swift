internal import COpenSSL

/// The TLS library this process runs with, such as `OpenSSL 3.0.22 30 Jan 2026`.
public var tlsLibraryVersion: String {
    OpenSSL_version(OPENSSL_VERSION).map { String(cString: $0) } ?? "OpenSSL"
}
