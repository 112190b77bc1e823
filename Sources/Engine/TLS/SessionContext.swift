internal import EngineModel
internal import Platform
internal import Primitives

/// Where a session may be resumed: at the listener that made it, and there only while it asks for the same clients
/// (CVE-2025-23419 is what comes of a ticket that leads from one to the other): the same CAs, requirements and revocation
/// lists. Of the configuration only, so that it is the same on every replica. 32 bytes.
func sessionContext(of listener: ListenerID, _ validation: ClientValidation?) -> [UInt8] {
    var parts = [listener.gatewayNamespace, listener.gateway, listener.listener]
    if let validation {
        parts.append(validation.mode == .validOnly ? "required" : "requested")
        parts += Set(validation.trust.map(\.material.fingerprint)).sorted()
        parts += Set(validation.requirements.map { joined($0.sessionParts) }).sorted().map { "requirement " + $0 }
    }
    return sha256(joined(parts))
}

/// What tickets of one context are sealed for: the session's context, the certificates that the client saw, and what OpenSSL
/// takes over from a session without asking again whether it is still allowed (the suite of TLS 1.2, the lifetime).
func ticketPurpose(
    _ sessionContext: [UInt8], _ certificates: [KeyPairFacts], ciphers: [String]?, lifetime: Duration
) -> [UInt8] {
    let (context, suites) = (sessionContext.map(String.init).joined(separator: " "), Set(ciphers ?? []).sorted())
    return sha256(
        joined([context, "\(lifetime.wholeMilliseconds)", joined(suites)] + certificates.map(\.fingerprint)))
}

/// Each with its length, so that no two lists give the same text.
private func joined(_ parts: [String]) -> String { parts.map { "\($0.utf8.count):\($0)" }.joined() }

extension ClientValidation.Requirement {
    fileprivate var sessionParts: [String] {
        var parts: [String] = []
        if let names { parts += ["names"] + Set(names.map(\.sessionPart)).sorted() }
        if let spkiHashes { parts += ["keys"] + spkiHashes.sorted() }
        if !revocationLists.isEmpty {
            parts += ["lists"] + Set(revocationLists.map(\.material.fingerprint)).sorted()
        }
        return parts
    }
}

extension ClientValidation.Name {
    fileprivate var sessionPart: String {
        switch self {
        case .dns(let pattern): "dns " + pattern.sessionPart
        case .uri(let pattern): "uri " + pattern.sessionPart
        case .email(let pattern): "email " + pattern.sessionPart
        }
    }
}

extension TextPattern {
    fileprivate var sessionPart: String {
        switch self {
        case .exact(let text): "exact " + text
        case .prefix(let text): "prefix " + text
        case .suffix(let text): "suffix " + text
        }
    }
}
