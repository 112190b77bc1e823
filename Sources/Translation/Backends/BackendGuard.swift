internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// Which endpoints a gateway's routes may lead to: GatewayParameters.backendGuard of its class.
struct BackendGuard: Hashable {
    let allowsLoopback: Bool
    let allowsLinkLocal: Bool
    /// The folder of unix sockets that may be used, without a slash at its end; nil: none; empty: every one.
    let socketFolder: String?
    let allowsExternalName: Bool
    /// Where the permissions come from, for messages.
    private let source: String

    init(_ set: GatewayParameters.BackendGuard?, _ parameters: NamedParameters?, standalone: Bool) {
        allowsLoopback = set?.allowLoopback ?? standalone
        allowsLinkLocal = set?.allowLinkLocal ?? false
        allowsExternalName = set?.allowExternalName ?? false
        if var folder = set?.allowUnixSocketDir {
            while folder.hasSuffix("/") { folder.removeLast() }
            // Of the root nothing is left, which stands for every path.
            socketFolder = set?.allowUnixSocketDir?.isEmpty == true ? nil : folder
        } else {
            socketFolder = standalone ? "" : nil
        }
        source = parameters?.description ?? "the class, which has no GatewayParameters"
    }

    /// Addresses that no name may lead to.
    var refusedAddresses: RefusedAddresses {
        var refused = RefusedAddresses()
        refused.loopback = !allowsLoopback
        refused.linkLocal = !allowsLinkLocal
        return refused
    }

    /// Why a target may not be used; nil: it may.
    func refusal(of target: BackendTarget, _ catalog: BackendCatalog) -> Verdict? {
        switch target {
        case .service(let key, _):
            guard !allowsExternalName, catalog.externalNames[key] != nil else { return nil }
            return Verdict(
                .invalidKind,
                refused("Service \(key) is of type ExternalName, which", "allowExternalName")
                    + "; use a Backend with fqdn")
        case .backend(let key):
            guard let endpoints = try? catalog[key]?.get() else { return nil }
            return endpoints.lazy.compactMap { refusal(of: $0.address) }.first.map {
                Verdict(.refNotPermitted, "Backend \(key): \($0)")
            }
        }
    }

    private func refusal(of endpoint: EndpointAddress) -> String? {
        switch endpoint {
        case .name, .records: return nil
        case .ip(let socket):
            guard let kind = refusedAddresses.refusal(of: socket.ip) else { return nil }
            switch kind {
            case "loopback": return refused("loopback address \(socket.ip)", "allowLoopback")
            case "link-local", "metadata service": return refused("\(kind) address \(socket.ip)", "allowLinkLocal")
            default: return "\(kind) address \(socket.ip) is no backend's"
            }
        case .unix(let path):
            guard let folder = socketFolder else { return refused("unix socket \(path)", "allowUnixSocketDir") }
            if folder.isEmpty { return nil }
            guard isBelow(folder, path) else {
                return refused("unix socket \(path), which is not below \(folder),", "allowUnixSocketDir")
            }
            return nil
        }
    }

    /// By bytes, as the kernel takes a path: to Swift a slash and a combining accent after it are one character.
    private func isBelow(_ folder: String, _ path: String) -> Bool {
        let steps = path.utf8.split(separator: UInt8(ascii: "/"))
        return path.utf8.starts(with: (folder + "/").utf8)
            && steps.allSatisfy { !$0.elementsEqual("..".utf8) && !$0.elementsEqual(".".utf8) }
    }

    private func refused(_ what: String, _ field: String) -> String {
        "\(what) is refused by backendGuard.\(field) of \(source)"
    }
}
