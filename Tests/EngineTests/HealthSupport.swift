import Engine
import EngineModel
import Platform
import Primitives
import TestSupport

/// A server that does the same with each connection, one after the other, and counts them.
final class ScriptedServer: Sendable {
    let port: UInt16
    let connections = Locked(0)
    private let stopped = Locked(false)

    /// With `tls`, `serve` gets the stream behind the handshake; what fails there is no connection.
    init(
        on address: SocketAddress = SocketAddress(.loopbackV4, 0), tls: TLSServerOptions? = nil,
        _ serve: @escaping @Sendable (any TestStream) throws -> Void
    ) throws {
        let plain = tls == nil ? try PlainServer(on: address) : nil
        let secure = try tls.map { try TLSTestServer($0) }
        port = plain?.port ?? secure?.port ?? 0
        let thread = try Thread(named: "scripted") { [weak self] in
            while true {
                guard let self, !self.stopped.withLock({ $0 }) else { return }
                let wait = Duration.milliseconds(100)
                let stream: (any TestStream)? =
                    plain != nil ? try? plain?.accept(timeout: wait) : try? secure?.accept(timeout: wait)
                guard let stream else { continue }
                connections.withLock { $0 += 1 }
                _ = try? Thread(named: "scripted-one") {
                    try? serve(stream)
                    stream.close()
                }.detach()
            }
        }
        thread.detach()
    }

    deinit { stopped.withLock { $0 = true } }

    var count: Int { connections.withLock { $0 } }
}

/// Fast checks, so that tests need not wait.
func activeCheck(_ steps: [ActiveHealthCheck.Action] = []) -> ActiveHealthCheck {
    var check = ActiveHealthCheck()
    check.timeout = .seconds(2)
    check.interval = .milliseconds(40)
    check.initialJitter = .zero
    check.steps = steps.map { .init($0) }
    return check
}

func send(_ text: String) -> ActiveHealthCheck.Action { .send(Array(text.utf8)) }
func expect(_ text: String) -> ActiveHealthCheck.Action { .expect(Array(text.utf8)) }

func backend(
    _ name: String, ports: [UInt16], tls: BackendTLS? = nil, check: ActiveHealthCheck? = nil,
    passive: PassiveHealthCheck? = nil
) -> BackendConfiguration {
    var configuration = backend(name, ports: ports, tls: tls)
    configuration.settings.health = HealthChecking(active: check, passive: passive)
    return configuration
}

extension EngineHarness {
    /// The endpoints of a backend, by address.
    func endpoints(_ name: String) -> [EndpointHealthReport] {
        engine.health().first { $0.backend == backendID(name) }?.endpoints ?? []
    }

    /// That of its only endpoint.
    func state(_ name: String) -> EndpointHealthReport.State? { endpoints(name).first?.state }

    func state(_ name: String, port: UInt16) -> EndpointHealthReport.State? {
        endpoints(name).first { $0.address.hasSuffix(":\(port)") }?.state
    }

    /// What failed in the last check of its only endpoint.
    func failure(_ name: String) -> String? { endpoints(name).first?.lastCheck?.failure }

    func passes(_ name: String) -> Double {
        metric("sluice_backend_health_checks_total", "backend=\"\(name)\"", "result=\"success\"")
    }

    func failures(_ name: String, _ reason: String) -> Double {
        metric(
            "sluice_backend_health_checks_total", "backend=\"\(name)\"", "result=\"failure\"", "reason=\"\(reason)\"")
    }

    func waitFor(_ state: EndpointHealthReport.State, of name: String) -> Bool {
        waitUntil(deadline: .seconds(10)) { self.state(name) == state }
    }
}
