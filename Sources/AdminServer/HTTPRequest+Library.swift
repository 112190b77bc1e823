internal import CMicroHTTPD

extension HTTPRequest {
    /// What the library read of a request: header and query.
    init(of connection: OpaquePointer, _ method: Method, path: String) {
        self.init(method, path: path, parameters: HTTPRequest.parameters(of: connection))
        func field(_ name: String) -> String? {
            MHD_lookup_connection_value(connection, .HEADER_KIND, name).map { String(cString: $0) }
        }
        host = field("Host")
        origin = field("Origin")
        fetchSite = field("Sec-Fetch-Site")
        action = field(HTTPRequest.actionField)
    }

    /// Percent-decoded, `+` as a space; bytes that are not UTF-8 are replaced. Nothing between two `&` is no part (URL Standard,
    /// application/x-www-form-urlencoded parsing), though the library makes one of it.
    private static func parameters(of connection: OpaquePointer) -> [Parameter] {
        var parameters: [Parameter] = []
        withUnsafeMutablePointer(to: &parameters) { list in
            _ = MHD_get_connection_values_n(
                connection, .GET_ARGUMENT_KIND,
                { list, _, name, nameLength, value, valueLength in
                    guard let list, let name else { return .NO }
                    if nameLength == 0, value == nil { return .YES }
                    let parameter = Parameter(
                        HTTPRequest.text(name, nameLength), value.map { HTTPRequest.text($0, valueLength) })
                    list.assumingMemoryBound(to: [Parameter].self).pointee.append(parameter)
                    return .YES
                }, list)
        }
        return parameters
    }

    private static func text(_ bytes: UnsafePointer<CChar>, _ count: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
    }
}
