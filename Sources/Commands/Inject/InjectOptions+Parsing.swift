internal import Primitives

extension InjectOptions {
    init(_ arguments: ParsedArguments) throws(UsageError) {
        file = arguments.value(InjectFlags.file)
        sidecar = SidecarSettings(image: arguments.value(InjectFlags.image))
        sidecar.terminated = arguments.value(InjectFlags.terminate)
        sidecar.secret = arguments.value(InjectFlags.secret)
        sidecar.clientAuthority = arguments.value(InjectFlags.clientCA)
        sidecar.dialled = arguments.value(InjectFlags.dial)
        sidecar.serverAuthority = arguments.value(InjectFlags.dialCA)
        sidecar.clientSecret = arguments.value(InjectFlags.dialSecret)
        sidecar.configMap = arguments.value(InjectFlags.configMap)
        sidecar.probePort = arguments.value(InjectFlags.probePort)
        try sidecar.check()
    }
}

extension SidecarSettings {
    /// Flags that contradict each other, or lack one.
    fileprivate func check() throws(UsageError) {
        if configMap == nil {
            if terminated.isEmpty, dialled.isEmpty {
                throw fault(
                    "there is nothing to do; give --terminate, --dial, or --configmap with manifests of your own")
            }
            if !terminated.isEmpty, secret == nil { throw fault("--terminate needs --secret, the certificate") }
            if terminated.isEmpty, secret != nil { throw fault("--secret needs --terminate") }
            if terminated.isEmpty, clientAuthority != nil { throw fault("--client-ca needs --terminate") }
            if dialled.isEmpty, serverAuthority != nil { throw fault("--dial-ca needs --dial") }
            if dialled.isEmpty, clientSecret != nil { throw fault("--dial-secret needs --dial") }
        }
        try checkImage()
        try checkPorts()
    }

    private func checkPorts() throws(UsageError) {
        var taken: [Int: String] = [:]
        for (port, flag) in ports {
            if let other = taken.updateValue(flag, forKey: port) {
                throw fault("port \(port) is both that of \(other) and that of \(flag)")
            }
            guard port >= 1024 else {
                throw fault(
                    "\(flag): port \(port) is below 1024, which needs rights; take another (a Service may map it)")
            }
        }
        for item in terminated where taken[item.applicationPort] != nil {
            throw fault("--terminate: the application's port \(item.applicationPort) is one of the sidecar's own")
        }
    }

    /// It becomes text of a manifest.
    private func checkImage() throws(UsageError) {
        let isPlain = image.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "./:@_-".utf8.contains(byte)
            }
        }
        let first = image.utf8.first ?? 0
        guard isPlain, !"./:@_-".utf8.contains(first), image.utf8.last != UInt8(ascii: ":") else {
            throw fault("--image: '\(image)' is not the name of an image")
        }
    }

    private func fault(_ message: String) -> UsageError { UsageError("sluice inject: \(message)") }
}

extension Flag where Value == String? {
    /// The name of a Kubernetes object.
    static func objectName(_ name: String, _ placeholder: String, help: String) -> Flag {
        Flag(
            name, placeholder, help: help, allowed: "the name of an object: lower case, digits, '-' and '.'",
            absent: nil,
            parse: { HostnamePattern.isDNSName($0) ? .some($0) : nil })
    }
}
