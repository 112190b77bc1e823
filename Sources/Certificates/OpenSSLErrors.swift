internal import COpenSSL

/// Empties this thread's error queue and puts it into words, the most telling (last) reason first; nil where it was
/// empty. Whatever calls OpenSSL in this module ends with this, so that the queue never leaks into the engine's.
func drainErrors() -> String? {
    var reasons: [String] = []
    while true {
        let code = ERR_get_error()
        guard code != 0 else { break }
        let reason = ERR_reason_error_string(code).map { String(cString: $0) } ?? "error 0x\(String(code, radix: 16))"
        if !reasons.contains(reason) { reasons.append(reason) }
    }
    return reasons.isEmpty ? nil : reasons.reversed().joined(separator: "; ")
}
