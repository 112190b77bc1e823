internal import KubernetesAPI
internal import KubernetesClient
internal import Observability
internal import Platform
internal import Translation

/// One run of a retirement, on the thread that asked for it.
final class RetirementWork {
    private let server: any APIServer
    private let settings: Retirement.Settings
    private let logger: Logger
    private let deadline: MonotonicTime
    private(set) var report = Retirement.Report()

    init(server: any APIServer, settings: Retirement.Settings, logger: Logger) {
        (self.server, self.settings, self.logger) = (server, settings, logger)
        deadline = .now() + settings.timeout
    }

    func run() {
        let hold = LeaseHold(server: server, settings: settings, deadline: deadline)
        do throws(APIError) {
            try hold.take()
        } catch {
            leave("Lease \(settings.lease.namespace)/\(settings.lease.name)", "\(error)")
            report.notes.append("replicas that still run may write again what is removed")
        }
        takeBackStatuses()
        deleteServices()
        deleteTicketKeys()
        do throws(APIError) {
            if let note = try hold.end() { report.notes.append(note) }
        } catch {
            leave("Lease \(settings.lease.namespace)/\(settings.lease.name)", "\(error)")
        }
        report.remaining.sort()
    }

    private func leave(_ object: String, _ reason: String) {
        report.remaining.append(.init(object: object, reason: reason))
        logger.warning("not removed", [LogKey.object: LogValue(object), LogKey.error: LogValue(reason)])
    }

    private var retry: RetryPolicy {
        RetryPolicy(total: max(.milliseconds(1), min(deadline - .now(), .seconds(30))), attempts: 8)
    }

    // MARK: Statuses

    private func takeBackStatuses() {
        let inventory = RetirementInventory(
            server: server, settings: settings, retry: retry, leave: { [self] in leave($0, $1) })
        let (observed, ours) = inventory.read()
        var random = SystemRandomNumberGenerator()
        var book = StatusBook(controllerName: settings.controllerName, seed: random.next())
        (book.retired, book.followsWatch) = (ours, false)
        book.take(
            Outcome(revision: 1, statuses: StatusReport(), snapshot: ClusterSnapshot(asOf: 0), observed: observed))
        let driver = RetirementDriver(server: server, settings: settings, deadline: deadline)
        driver.run(&book)
        report.statuses = driver.written.map(\.description).sorted()
        for (target, error) in driver.failures.sorted(by: { $0.key.description < $1.key.description }) {
            leave(target.description, "its status still has our part: \(error)")
        }
    }

    // MARK: Services

    private func deleteServices() {
        let namespace = settings.lease.namespace
        let label = "\(ServiceNames.controller)=\(ServiceNames.labelValue(settings.controllerName))"
        do throws(APIError) {
            let services = try server.list(
                Service.resourceKind, ListSelection(namespace: namespace, labelSelector: label), as: Service.self,
                retry: retry)
            for service in services.items { delete(service) }
        } catch {
            leave("Service", "those in \(namespace) cannot be listed: \(error)")
        }
    }

    private func deleteTicketKeys() {
        let name = TicketKeeper.secretName(lease: settings.lease.name)
        let key = ObjectKey(namespace: settings.lease.namespace, name: name)
        do throws(APIError) {
            let uid = try server.get(Secret.resourceKind, key, retry: retry).uid
            try server.delete(Secret.resourceKind, key, uid: uid, retry: retry)
        } catch {
            guard error.code != 404 else { return }
            guard error.code == 403 else { return leave("Secret \(key)", "\(error)") }
            report.notes.append("the Secret \(key) stays, where there is one: it may not be deleted by us")
        }
    }

    private func delete(_ service: Service) {
        let labels = service.metadata.labels ?? [:]
        guard ServiceNames.identity.allSatisfy({ labels[$0] != nil }) else { return }
        do throws(APIError) {
            try server.delete(Service.resourceKind, service.key, uid: service.metadata.uid, retry: retry)
            report.services.append(service.key)
        } catch {
            leave("Service \(service.key)", "\(error)")
        }
    }
}
