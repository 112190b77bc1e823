public import KubernetesAPI

/// What is known of a Secret that is watched for itself. Prints nothing that it holds.
public enum WatchedSecret: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// No answer yet.
    case unknown
    /// It may not be watched.
    case denied
    case absent
    case present(Secret)

    public var description: String {
        switch self {
        case .unknown: "unknown"
        case .denied: "denied"
        case .absent: "absent"
        case .present: "present"
        }
    }
    public var customMirror: Mirror { Mirror(self, children: [("state", description)]) }
}

/// The watch of the installation's own Secret. Of the cluster's thread.
final class OwnSecretWatch {
    let informer: Informer
    private let key: ObjectKey
    private let contents: ClusterContents
    private let onChange: (WatchedSecret) -> Void
    private var told = WatchedSecret.unknown

    init(_ secret: ClusterSource.Options.OwnSecret, namespace: String, factory: InformerFactory) {
        key = ObjectKey(namespace: namespace, name: secret.name)
        (contents, onChange) = (factory.contents, secret.onChange)
        informer = factory.ownSecret(key)
    }

    /// Tells what is new. What was known once stays known while the API server cannot be reached.
    func review() {
        let state: WatchedSecret =
            if let secret = contents.ownSecrets[key] {
                .present(secret)
            } else if informer.machine.hasSynced {
                .absent
            } else {
                informer.isDenied ? .denied : .unknown
            }
        guard state != told else { return }
        told = state
        onChange(state)
    }
}
