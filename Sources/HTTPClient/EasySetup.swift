internal import CCurl
internal import Platform

/// Sets options of an easy handle and remembers the first that is refused.
struct EasySetup {
    private let easy: UnsafeMutableRawPointer
    private(set) var failure: CURLcode?
    /// libcurl keeps the pointer: to be freed after the handle.
    private(set) var connectTo: UnsafeMutablePointer<curl_slist>?

    init(_ easy: UnsafeMutableRawPointer) { self.easy = easy }

    mutating func pointer(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) {
        note(sluice_easy_set_pointer(easy, option, value))
    }

    mutating func receivers(
        _ body: @escaping curl_write_callback, _ header: @escaping curl_write_callback,
        _ context: UnsafeMutableRawPointer
    ) {
        note(sluice_easy_set_receivers(easy, body, header, context))
    }

    /// Where to, through what, and how the connection is watched.
    mutating func connection(_ options: HTTPClientOptions, _ url: URLParts) {
        number(CURLOPT_NOSIGNAL, 1)
        // A request that is given up does not wait for the resolver's thread.
        number(CURLOPT_QUICK_EXIT, 1)
        text(CURLOPT_PROTOCOLS_STR, "http,https")
        number(CURLOPT_FOLLOWLOCATION, 0)
        text(CURLOPT_USERAGENT, options.userAgent)
        number(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        // Rather a stream on the connection that is being made than another connection. Without TLS there is no ALPN:
        // libcurl would wait for as long as the first request lasts.
        number(CURLOPT_PIPEWAIT, url.scheme == "https" ? 1 : 0)
        number(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(options.connectTimeout))
        number(CURLOPT_TCP_KEEPALIVE, 1)
        let probe = max(1, Int(options.tcpTimeout.components.seconds) / 6)
        number(CURLOPT_TCP_KEEPIDLE, probe * 3)
        number(CURLOPT_TCP_KEEPINTVL, probe)
        note(sluice_easy_set_sockets(easy, UInt32(clamping: options.tcpTimeout.wholeMilliseconds)))
        number(CURLOPT_BUFFERSIZE, 64 << 10)
        number(CURLOPT_HEADEROPT, Int(CURLHEADER_SEPARATE))
        number(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        if let name = options.serverName {
            text(CURLOPT_URL, url.with(host: name))
            connectTo = curl_slist_append(nil, "\(bracketed(name)):\(url.port):\(url.bracketedHost):\(url.port)")
            pointer(CURLOPT_CONNECT_TO, connectTo)
        } else {
            text(CURLOPT_URL, url.whole)
        }
        if let proxy = options.proxy { text(CURLOPT_PROXY, proxy) } else if url.isLoopback { text(CURLOPT_PROXY, "") }
    }

    mutating func tls(_ options: HTTPClientOptions) {
        number(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        switch options.trust {
        case .system: break
        case .pem(let pem):
            blob(CURLOPT_CAINFO_BLOB, pem)
            blob(CURLOPT_PROXY_CAINFO_BLOB, pem)
        case .file(let path):
            text(CURLOPT_CAINFO, path)
            text(CURLOPT_PROXY_CAINFO, path)
        }
        if options.trust != .system {
            // The directory that libcurl was built with would be trusted besides.
            note(sluice_easy_set_text(easy, CURLOPT_CAPATH, nil))
            note(sluice_easy_set_text(easy, CURLOPT_PROXY_CAPATH, nil))
        }
        number(CURLOPT_SSL_VERIFYPEER, options.isInsecure ? 0 : 1)
        number(CURLOPT_SSL_VERIFYHOST, options.isInsecure ? 0 : 2)
        guard let identity = options.identity else { return }
        text(CURLOPT_SSLCERTTYPE, "PEM")
        blob(CURLOPT_SSLCERT_BLOB, identity.certificate)
        text(CURLOPT_SSLKEYTYPE, "PEM")
        blob(CURLOPT_SSLKEY_BLOB, identity.privateKey)
        // Without one, OpenSSL would ask the terminal for the password of an encrypted key.
        text(CURLOPT_KEYPASSWD, "")
    }

    mutating func request(_ request: HTTPRequest) {
        if let body = request.body {
            number(CURLOPT_POST, 1)
            note(sluice_easy_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, Int64(body.count)))
            let code = body.withUnsafeBytes {
                sluice_easy_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, $0.baseAddress ?? empty)
            }
            note(code)
        } else if request.method == "HEAD" {
            number(CURLOPT_NOBODY, 1)
        } else {
            number(CURLOPT_HTTPGET, 1)
        }
        text(CURLOPT_CUSTOMREQUEST, request.method)
        number(CURLOPT_TIMEOUT_MS, request.timeout.map(milliseconds) ?? 0)
    }

    private mutating func number(_ option: CURLoption, _ value: Int) { note(sluice_easy_set_long(easy, option, value)) }

    private mutating func text(_ option: CURLoption, _ value: String) {
        note(sluice_easy_set_text(easy, option, value))
    }

    private mutating func blob(_ option: CURLoption, _ bytes: [UInt8]) {
        note(bytes.withUnsafeBytes { sluice_easy_set_blob(easy, option, $0.baseAddress ?? empty, $0.count) })
    }

    private mutating func note(_ code: CURLcode) { if code != CURLE_OK, failure == nil { failure = code } }
}

/// An address for what has no bytes: libcurl takes a null pointer for something else.
// One byte that nobody writes.
private nonisolated(unsafe) let empty = UnsafeRawPointer(UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1))

/// At least one: libcurl takes zero for "its default".
private func milliseconds(_ duration: Duration) -> Int { max(1, Int(clamping: duration.wholeMilliseconds)) }
