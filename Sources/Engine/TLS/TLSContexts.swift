internal import COpenSSL
internal import Certificates
internal import EngineModel
internal import Observability
internal import Platform
internal import Primitives

/// Owns one `SSL_CTX *`. OpenSSL counts references atomically: any worker may make connections from it.
final class TLSContext: @unchecked Sendable {
    // Sendable because the context is only configured before it is shared.
    let raw: OpaquePointer

    init(owning raw: OpaquePointer) { self.raw = raw }
    deinit { SSL_CTX_free(raw) }
}

extension TLSVersion {
    var openSSLNumber: Int32 { self == .v12 ? TLS1_2_VERSION : TLS1_3_VERSION }
}

struct TLSSetupError: Error {
    var message: String

    /// Takes the newest error of this thread's queue.
    init(_ what: String) {
        var text = [CChar](repeating: 0, count: 256)
        let code = ERR_get_error()
        ERR_error_string_n(code, &text, text.count)
        ERR_clear_error()
        let reason = text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        message = code == 0 ? what : "\(what): \(reason)"
    }
}

/// SHA-256 of a text.
func sha256(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    var digest = [UInt8](repeating: 0, count: 32)
    SHA256(bytes, bytes.count, &digest)
    return digest
}

/// The contexts of one terminating listener: one per distinct set of certificates. The set is chosen from the peeked
/// SNI before the SSL is made, so no servername callback and no SSL_set_SSL_CTX are needed.
final class TLSServerContexts: Sendable {
    let configuration: TLSTermination
    private let contexts: [TLSServerContext]
    private let exact: [String: Int]
    private let wildcard: [String: Int]

    /// Sessions resume only at this listener.
    init(_ termination: TLSTermination, listener: ListenerID, tickets: TicketKeyStore) throws(TLSSetupError) {
        let setup = try TLSServerSetup(termination, listener, tickets)
        var sets: [[Int]: Int] = [:]
        var contexts: [TLSServerContext] = []
        func context(_ certificates: [Int]) throws(TLSSetupError) -> Int {
            if let known = sets[certificates] { return known }
            let chosen = certificates.map { termination.certificates[$0] }
            contexts.append(try TLSServerContext(setup, chosen))
            sets[certificates] = contexts.count - 1
            return contexts.count - 1
        }
        // The default is the first certificate, beside it those of other key types for one of its names.
        let first = Set(termination.certificates.first?.dnsNames ?? [])
        let alike = termination.certificates.indices.filter { index in
            index == 0 || !first.isDisjoint(with: termination.certificates[index].dnsNames)
        }
        _ = try context(TLSServerContexts.onePerKeyType(alike, termination))
        var exactNames: [String: [Int]] = [:]
        var wildcardNames: [String: [Int]] = [:]
        for (index, certificate) in termination.certificates.enumerated() {
            for name in certificate.dnsNames {
                switch name {
                case .exact(let name): exactNames[name, default: []].append(index)
                case .wildcard(let suffix): wildcardNames[suffix, default: []].append(index)
                }
            }
        }
        var exact: [String: Int] = [:]
        var wildcard: [String: Int] = [:]
        for (name, own) in exactNames {
            // A wildcard certificate of another key type stands in where no exact one has that type.
            let parent = name.firstIndex(of: ".").map { String(name[name.index(after: $0)...]) }
            let candidates = own + (parent.flatMap { wildcardNames[$0] } ?? [])
            exact[name] = try context(TLSServerContexts.onePerKeyType(candidates, termination))
        }
        for (suffix, own) in wildcardNames {
            wildcard[suffix] = try context(TLSServerContexts.onePerKeyType(own, termination))
        }
        configuration = termination
        self.contexts = contexts
        self.exact = exact
        self.wildcard = wildcard
    }

    /// The context for a name: exact certificate, then wildcard (one label, RFC 6125 §6.4.3), else the default.
    func context(for serverName: String?) -> OpaquePointer {
        guard let serverName else { return contexts[0].context.raw }
        if let index = exact[serverName] { return contexts[index].context.raw }
        if !wildcard.isEmpty, let dot = serverName.firstIndex(of: "."),
            let index = wildcard[String(serverName[serverName.index(after: dot)...])]
        {
            return contexts[index].context.raw
        }
        return contexts[0].context.raw
    }

    /// The first certificate of each key type, in the listener's order.
    private static func onePerKeyType(_ candidates: [Int], _ termination: TLSTermination) -> [Int] {
        var seen: Set<String> = []
        return candidates.filter { index in
            let type =
                switch termination.certificates[index].keyType {
                case .rsa: "rsa"
                case .ecdsa: "ecdsa"
                case .other(let name): name
                }
            return seen.insert(type).inserted
        }
    }

    static func install(_ certificate: KeyPairFacts, in context: OpaquePointer) throws(TLSSetupError) {
        guard let pair = certificate.material.storage as? KeyPairStorage else {
            throw TLSSetupError("key pair \(certificate.material) is not loaded")
        }
        guard SSL_CTX_use_certificate(context, pair.leaf) == 1 else { throw TLSSetupError("certificate") }
        guard SSL_CTX_use_PrivateKey(context, pair.privateKey) == 1 else { throw TLSSetupError("private key") }
        for issuer in pair.chain where sluice_context_add_chain_certificate(context, issuer) != 1 {
            throw TLSSetupError("certificate chain")
        }
    }
}
