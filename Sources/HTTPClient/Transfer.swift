internal import CCurl

/// One request under way: an easy handle and what has come of the answer. Belongs to the client's thread.
final class Transfer {
    let easy: UnsafeMutableRawPointer
    let sink: TransferSink
    let poolNumber: UInt32
    let start: TransferStart
    var receiver: AnswerReceiver
    private var headers: UnsafeMutablePointer<curl_slist>?
    private var connectTo: UnsafeMutablePointer<curl_slist>?
    private let words: UnsafeMutablePointer<CChar>

    /// - Throws: where the request cannot be sent as it is.
    init(_ start: TransferStart, _ sink: TransferSink, poolNumber: UInt32) throws(TransportError) {
        guard let easy = sluice_easy_create() else { throw TransportError(.other, "libcurl has no memory") }
        (self.easy, self.sink, self.start, self.poolNumber) = (easy, sink, start, poolNumber)
        words = .allocate(capacity: Int(CURL_ERROR_SIZE))
        words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        receiver = AnswerReceiver(sink, start.options)
        let url = try URLParts(start.request.url)
        var setup = EasySetup(easy)
        setup.pointer(CURLOPT_ERRORBUFFER, words)
        setup.receivers(onBody, onHeader, Unmanaged.passUnretained(self).toOpaque())
        setup.connection(start.options, url)
        connectTo = setup.connectTo
        setup.tls(start.options)
        setup.request(start.request)
        headers = try headerList(start, url)
        setup.pointer(CURLOPT_HTTPHEADER, headers)
        if let failure = setup.failure {
            throw TransportError(.other, "libcurl refuses an option: " + String(cString: curl_easy_strerror(failure)))
        }
    }

    deinit {
        sluice_easy_destroy(easy)
        curl_slist_free_all(headers)
        curl_slist_free_all(connectTo)
        words.deallocate()
    }

    /// The request was on its way when the transfer ended.
    var wasSent: Bool { sluice_easy_size(easy, CURLINFO_PRETRANSFER_TIME_T) > 0 }

    /// Hands over how it ended.
    func finish(_ code: CURLcode) {
        switch (code, sink) {
        case (CURLE_OK, .whole(let completion)): completion(.success(receiver.takeResponse()))
        case (CURLE_OK, .lines(let lines)):
            receiver.endHead()
            lines.end(.finished)
        default: sink.fail(error(code))
        }
    }

    private func error(_ code: CURLcode) -> TransportError {
        if let refusal = receiver.refusal { return refusal }
        let text = String(cString: words)
        let said = text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
        let origin = (try? URLParts(start.request.url))?.origin ?? "the server"
        return TransportError(kind(of: code, said), "\(origin): \(said)")
    }
}

private func kind(of code: CURLcode, _ words: String) -> TransportError.Kind {
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT, CURLE_PROXY: .unreachable
    case CURLE_OPERATION_TIMEDOUT: .timeout
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
        CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS,
        CURLE_SSL_CLIENTCERT, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_CRL_BADFILE:
        .tls
    // With TLS 1.3 a server refuses our certificate after the handshake, as far as we can see.
    case CURLE_RECV_ERROR, CURLE_SEND_ERROR: words.contains("alert") ? .tls : .interrupted
    case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_HTTP2, CURLE_HTTP2_STREAM: .interrupted
    default: .other
    }
}

/// The header fields of a request as libcurl takes them; an empty value removes one of its own.
private func headerList(_ start: TransferStart, _ url: URLParts) throws(TransportError)
    -> UnsafeMutablePointer<curl_slist>?
{
    var fields = start.request.headers
    if start.options.serverName != nil { fields.append(HTTPHeader("Host", url.authority)) }
    var list: UnsafeMutablePointer<curl_slist>?
    for field in fields {
        guard field.name.utf8.allSatisfy(isTokenByte), field.value.utf8.allSatisfy(isFieldByte) else {
            curl_slist_free_all(list)
            throw TransportError(.other, "the header field \(field.name.debugDescription) holds a forbidden character")
        }
        list = curl_slist_append(list, field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
    }
    return curl_slist_append(list, "Expect:")
}

/// RFC 9110 §5.6.2.
private func isTokenByte(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7f && !"\"(),/:;<=>?@[\\]{}".utf8.contains(byte)
}

/// RFC 9110 §5.5: no line ends, no other control characters.
private func isFieldByte(_ byte: UInt8) -> Bool { byte == 0x09 || (byte >= 0x20 && byte != 0x7f) }

private let onBody: curl_write_callback = { bytes, size, count, context in
    guard let bytes, let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let length = size * count
    return transfer.receiver.body(UnsafeRawBufferPointer(start: bytes, count: length)) ? length : 0
}

private let onHeader: curl_write_callback = { bytes, size, count, context in
    guard let bytes, let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let length = size * count
    return transfer.receiver.header(UnsafeRawBufferPointer(start: bytes, count: length)) ? length : 0
}
