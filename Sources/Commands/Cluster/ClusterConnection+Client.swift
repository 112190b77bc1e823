internal import Observability
extension ClusterConnection {
    init(_ options: ConnectionOptions, logger: Logger) throws { throw StartFailure("clusters are not served yet") }
}
