public import KubernetesAPI
public import KubernetesClient
public import Observability

/// Takes an installation out of a cluster: its entries in statuses and its Services. Replicas that still run are kept from
/// writing meanwhile by taking the Lease from them. May be run again: what is gone already is no error.
public struct Retirement: Sendable {
    public struct Settings: Sendable {
        public var controllerName: String
        /// The class that is ours where classes may not be read.
        public var gatewayClass = "sluice"
        /// Where to look for Gateways, routes and the rest; nil: everywhere.
        public var watchNamespaces: [String]?
        /// The Lease of the installation, and with it the namespace of the installation.
        public var lease: LeaderElector.Settings
        /// The ConfigMap that owns what the installation made; nil: none.
        public var marker: String?
        /// How long it may take in all.
        public var timeout: Duration = .seconds(120)

        public init(controllerName: String, lease: LeaderElector.Settings, marker: String? = nil) {
            (self.controllerName, self.lease, self.marker) = (controllerName, lease, marker)
        }
    }

    /// What was done, and what could not be.
    public struct Report: Hashable, Sendable, CustomStringConvertible {
        /// Such as `TCPRoute default/a`, sorted: our part of their statuses is removed.
        public internal(set) var statuses: [String] = []
        /// Sorted; deleted, or being deleted.
        public internal(set) var services: [ObjectKey] = []
        /// What is still there, with the reason, sorted.
        public internal(set) var remaining: [Remainder] = []
        /// What whoever runs it should know.
        public internal(set) var notes: [String] = []

        /// Nothing of the installation is left.
        public var isComplete: Bool { remaining.isEmpty }

        /// Lines of text, one for each thing that remains.
        public var description: String {
            let (taken, deleted) = (statuses.count, services.count)
            var lines = [
                "\(taken) \(taken == 1 ? "status" : "statuses") taken back, "
                    + "\(deleted) Service\(deleted == 1 ? "" : "s") deleted"
            ]
            lines += notes
            lines += remaining.map { "not removed: \($0)" }
            return lines.joined(separator: "\n")
        }
    }

    /// Something that could not be removed.
    public struct Remainder: Hashable, Sendable, Comparable, CustomStringConvertible {
        /// Such as `TCPRoute default/a`, or a kind where its objects could not be listed.
        public var object: String
        public var reason: String

        public var description: String { "\(object): \(reason)" }
        public static func < (left: Remainder, right: Remainder) -> Bool { left.object < right.object }
    }

    private let server: any APIServer
    private let settings: Settings
    private let logger: Logger

    public init(server: any APIServer, settings: Settings, logger: Logger) {
        (self.server, self.settings, self.logger) = (server, settings, logger)
    }

    /// Does it, and blocks the calling thread for that long; not for threads of the client.
    public func run() -> Report {
        let work = RetirementWork(server: server, settings: settings, logger: logger)
        work.run()
        return work.report
    }
}
