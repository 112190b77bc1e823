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
            // The root alone would be empty now, and stands for every path.
            socketFolder = set?.allowUnixSocketDir?.isEmpty == true ? nil : folder
        } else {
            socketFolder = standalone ? "" : nil
        }
        source = parameters?.description ?? "the GatewayParameters of the class, which has none"
    }

    /// Addresses that no name may lead to.
    var refusedAddresses: RefusedAddresses {
        var refused = RefusedAddresses()
        refused.loopback = !allowsLoopback
        refused.linkLocal = !allowsLinkLocal
        return refused
    }

    /// Why an endpoint may not be used; nil: it may.
    func refusal(of endpoint: EndpointAddress) -> String? {
        switch endpoint {
        case .name: return nil
        case .ip(let socket):
            let address = socket.ip
            if address.isUnspecified || address.isMulticast || address == IPAddress("255.255.255.255") {
                return "\(address) is no address of a backend"
            }
            if address.isLoopback, !allowsLoopback { return refused("loopback address \(address)", "allowLoopback") }
            if address.isLinkLocal || address.isCloudMetadata, !allowsLinkLocal {
                return refused(
                    "\(address.isLinkLocal ? "link-local" : "metadata") address \(address)", "allowLinkLocal")
            }
            return nil
        case .unix(let path):
            guard let folder = socketFolder else { return refused("unix socket \(path)", "allowUnixSocketDir") }
            if folder.isEmpty { return nil }
            let steps = path.split(separator: "/")
            guard path.hasPrefix(folder + "/"), !steps.contains(".."), !steps.contains(".") else {
                return refused("unix socket \(path), which is not below \(folder),", "allowUnixSocketDir")
            }
            return nil
        }
    }

    /// Why a Service of type ExternalName may not be used; nil: it may.
    func refusal(ofExternalName service: ObjectKey) -> String? {
        allowsExternalName ? nil : refused("Service \(service) of type ExternalName", "allowExternalName")
    }

    private func refused(_ what: String, _ field: String) -> String {
        "\(what) is refused by backendGuard.\(field) of \(source)"
    }
}
