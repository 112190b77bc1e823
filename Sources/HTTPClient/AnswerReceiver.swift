/// Puts an answer together from what libcurl hands over.
struct AnswerReceiver {
    private let sink: TransferSink
    private let bodyLimit: Int
    private let headerLimit: Int
    private var head = HTTPHead(status: 0)
    private var headerBytes = 0
    private var headIsWhole = false
    private var content: [UInt8] = []
    /// Why we ended it ourselves.
    private(set) var refusal: TransportError?

    init(_ sink: TransferSink, _ options: HTTPClientOptions) {
        (self.sink, bodyLimit, headerLimit) = (sink, options.responseLimit, options.headerLimit)
    }

    /// One header line with its line end. False: the answer is refused.
    mutating func header(_ line: UnsafeRawBufferPointer) -> Bool {
        headerBytes += line.count
        guard headerBytes <= headerLimit else {
            return refuse("the header of the answer is larger than \(headerLimit) bytes")
        }
        let text = String(decoding: line, as: UTF8.self).trimmed
        if text.hasPrefix("HTTP/") {
            let status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            (head, headIsWhole) = (HTTPHead(status: status), false)
        } else if text.isEmpty {
            // After 1xx another header follows.
            if head.status >= 200 { endHead() }
        } else if !headIsWhole, let colon = text.firstIndex(of: ":") {
            let value = String(text[text.index(after: colon)...]).trimmed
            head.headers.append(HTTPHeader(String(text[..<colon]), value))
        }
        return true
    }

    /// Some bytes of the body. False: the answer is refused, or nobody wants more of it.
    mutating func body(_ bytes: UnsafeRawBufferPointer) -> Bool {
        endHead()
        switch sink {
        case .lines(let lines): return lines.append(bytes)
        case .whole:
            guard content.count + bytes.count <= bodyLimit else {
                return refuse("the answer is larger than \(bodyLimit) bytes")
            }
            content += bytes
            return true
        }
    }

    mutating func endHead() {
        guard !headIsWhole else { return }
        headIsWhole = true
        if case .lines(let lines) = sink { lines.set(head) }
    }

    mutating func takeResponse() -> HTTPResponse {
        defer { content = [] }
        return HTTPResponse(head: head, body: content)
    }

    private mutating func refuse(_ words: String) -> Bool {
        refusal = TransportError(.other, words)
        return false
    }
}

extension String {
    /// Without spaces, tabs and line ends at both ends.
    var trimmed: String {
        let isBlank = { (character: Character) in character == " " || character == "\t" || character.isNewline }
        return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
