internal import CLinux
internal import COpenSSL
internal import EngineCore
internal import EngineModel
internal import Glibc
internal import Platform
internal import Primitives

extension ProxyProtocolSending {
    /// What stands before a connection of our own, such as a health check: LOCAL, which v1 says as UNKNOWN.
    var ownHeader: [UInt8] {
        ProxyHeader(version: version.header, command: .local).encoded() ?? []
    }
}

extension ProxyProtocolSending.Version {
    fileprivate var header: ProxyHeader.Version {
        switch self {
        case .v1: .v1
        case .v2: .v2
        }
    }
}

// What a header says of a client to the endpoint that gets it.

extension Worker {
    /// The header, and the fields that it had no room for; nil where there is none.
    func headerToSend(
        _ slot: Int, _ sending: ProxyProtocolSending
    ) -> (bytes: [UInt8]?, dropped: [ProxyProtocolSending.Field]) {
        let received = records[slot].proxyHeader?.takeUnretainedValue().header
        let destination = received?.destination ?? clientsDestination(slot)
        var tlvs = ProxyTLVs()
        var dropped: [ProxyProtocolSending.Field] = []
        if sending.version == .v2 {
            for field in sending.fields where !append(field, slot, received, &tlvs) { dropped.append(field) }
        }
        let header = ProxyHeader(
            version: sending.version.header, source: destination == nil ? nil : records[slot].client,
            destination: destination, tlvs: tlvs)
        return (header.encoded(), dropped)
    }

    /// What a client connected to: as its listener is bound, else as the kernel says.
    func clientsDestination(_ slot: Int) -> SocketAddress? {
        let destination = records[slot].destination
        return destination.port != 0 ? destination : localAddress(of: sides[2 * slot].descriptor)
    }

    /// Our end of a connection; nil where there is none, and on unix sockets.
    func localAddress(of descriptor: Int32) -> SocketAddress? {
        guard descriptor >= 0 else { return nil }
        // Large enough for every family that is of interest here.
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        return withUnsafeMutableBytes(of: &address) { bytes -> SocketAddress? in
            guard let start = bytes.baseAddress,
                sluice_getsockname(descriptor, start.assumingMemoryBound(to: sockaddr_storage.self), &length) == 0
            else { return nil }
            return KernelAddress.read(UnsafeRawBufferPointer(bytes))
        }
    }

    /// False: it does not fit. What the connection has nothing for is left out.
    private func append(
        _ field: ProxyProtocolSending.Field, _ slot: Int, _ received: ProxyHeader?, _ tlvs: inout ProxyTLVs
    ) -> Bool {
        switch field {
        case .authority:
            if let name = records[slot].serverName {
                return tlvs.append(ProxyTLVType.authority, String(cString: name).utf8)
            }
            return received?.tlvs[ProxyTLVType.authority].map { tlvs.append(ProxyTLVType.authority, $0) } ?? true
        case .alpn: return clientsProtocol(slot).map { tlvs.append(ProxyTLVType.alpn, $0) } ?? true
        case .ssl: return sides[2 * slot].tls.map { tlvs.append(proxyTLSFacts(of: $0)) } ?? true
        case .uniqueID:
            if let name = received?.tlvs[ProxyTLVType.uniqueID] { return tlvs.append(ProxyTLVType.uniqueID, name) }
            return tlvs.append(ProxyTLVType.uniqueID, String(records[slot].id, radix: 16).utf8)
        case .crc32c: return tlvs.appendChecksum()
        case .forward(let type):
            guard ProxyTLVType.custom.contains(type), let received else { return true }
            // All of them or none.
            var longer = tlvs
            for tlv in received.tlvs where tlv.type == type && !longer.append(type, tlv.value) { return false }
            tlvs = longer
            return true
        case .custom(let type, let value): return tlvs.append(type, value)
        }
    }

    /// What was negotiated; where TLS passes through, what the client, whose hello nobody has taken yet, would like best.
    private func clientsProtocol(_ slot: Int) -> [UInt8]? {
        let side = sides + 2 * slot
        if let ssl = side.pointee.tls { return negotiatedProtocol(of: ssl) }
        guard records[slot].tlsMode == .passthrough else { return nil }
        let count = sluice_recv(side.pointee.descriptor, scratch, Worker.helloCapacity, messagePeek)
        let bytes = UnsafeRawBufferPointer(start: scratch, count: Int(max(0, count)))
        guard case .hello(let hello) = ClientHello.parse(bytes, limit: Worker.helloLimit) else { return nil }
        // A name that is not UTF-8 was not kept as it is.
        guard let first = hello.alpnProtocols.first, !first.unicodeScalars.contains("\u{fffd}") else { return nil }
        return Array(first.utf8)
    }
}

/// What ALPN came to; nil: nothing.
func negotiatedProtocol(of ssl: OpaquePointer) -> [UInt8]? {
    var chosen: UnsafePointer<UInt8>?
    var length: UInt32 = 0
    SSL_get0_alpn_selected(ssl, &chosen, &length)
    return length > 0 ? Array(UnsafeBufferPointer(start: chosen, count: Int(length))) : nil
}

/// What can be said of a client's TLS session to whoever stands behind. A certificate that did not verify has no name there.
func proxyTLSFacts(of ssl: OpaquePointer) -> ProxyTLSFacts {
    var facts = ProxyTLSFacts(client: .tls, verify: UInt32(X509_V_ERR_UNSPECIFIED))
    if let certificate = SSL_get0_peer_certificate(ssl) {
        facts.client.insert(.certificateInSession)
        if SSL_session_reused(ssl) == 0 { facts.client.insert(.certificateOnConnection) }
        facts.verify = UInt32(truncatingIfNeeded: SSL_get_verify_result(ssl))
        // Whoever reads it as a C string would see less than was signed.
        let name = facts.verify == 0 ? commonNames(X509_get_subject_name(certificate)).first : nil
        if let name, !name.unicodeScalars.contains("\0") { facts.commonName = name }
    }
    facts.version = SSL_get_version(ssl).map { String(cString: $0) }
    facts.cipher = SSL_get_current_cipher(ssl).flatMap { SSL_CIPHER_get_name($0) }.map { String(cString: $0) }
    guard let own = ownCertificate(of: ssl) else { return facts }
    facts.signatureAlgorithm = OBJ_nid2sn(X509_get_signature_nid(own)).map { String(cString: $0) }
    facts.keyAlgorithm = X509_get0_pubkey(own).flatMap(keyAlgorithm)
    return facts
}

/// The certificate that the client was shown. A session that resumes was shown none: then the only one there is, if there is
/// only one.
private func ownCertificate(of ssl: OpaquePointer) -> OpaquePointer? {
    let (first, next, shown) = (SSL_CERT_SET_FIRST, SSL_CERT_SET_NEXT, SSL_CERT_SET_SERVER)
    func select(_ which: Int32) -> Bool { SSL_ctrl(ssl, SSL_CTRL_SET_CURRENT_CERT, Int(which), nil) == 1 }
    if select(shown) { return SSL_get_certificate(ssl) }
    guard select(first), let only = SSL_get_certificate(ssl) else { return nil }
    return select(next) ? nil : only
}

/// Such as `RSA2048`, `EC256`, `ED25519`.
private func keyAlgorithm(_ key: OpaquePointer) -> String? {
    switch EVP_PKEY_get_base_id(key) {
    case EVP_PKEY_RSA: "RSA\(EVP_PKEY_get_bits(key))"
    case EVP_PKEY_EC: "EC\(EVP_PKEY_get_bits(key))"
    default: EVP_PKEY_get0_type_name(key).map { String(cString: $0) }
    }
}
