import CFaults
import Engine
import EngineModel
import Glibc
import Platform
import TestSupport

/// Hands the listening sockets of one engine to another, through a socket as between two processes, while calls fail. Where
/// that fails nothing has changed; where it succeeds the other one serves.
struct Handover {
    let scene: Scene
    let verdict: Verdict

    /// Connections that the first engine got. `collect`: when nothing fails any more.
    func run(from gateway: Gateway, _ rules: [faults_rule], seed: UInt64, _ collect: () -> Void) throws -> Int {
        faults_arm(rules, Int32(rules.count), seed)
        var sockets: [Binding: [Int32]]?
        for _ in 0..<4 where sockets == nil { sockets = passed(gateway.engine) }
        var successor: Gateway?
        if let sockets { successor = takeOver(sockets, try scene.configuration()) }
        collect()
        guard let successor else {
            let outcome = visit(.plain, port: scene.ports[.plain] ?? 0, small: true, verdict)
            verdict.expect(outcome == .served, "after a handover that failed a client is \(outcome)")
            return 1
        }
        gateway.engine.handOver()
        for mode in [Mode.plain, .terminate] {
            let isServed = waitUntil(deadline: .seconds(12)) {
                visit(mode, port: scene.ports[mode] ?? 0, small: true, verdict) == .served
            }
            verdict.expect(isServed, "\(mode.rawValue): the successor does not serve")
        }
        successor.engine.stop()
        successor.removeLog()
        return 0
    }

    /// Copies of the sockets as they arrive at the other end; nil: it failed, and nothing is left behind.
    private func passed(_ engine: Engine) -> [Binding: [Int32]]? {
        faults_choose_thread(1)
        defer { faults_choose_thread(-1) }
        guard let copies = try? engine.copyListeners() else { return nil }
        defer { for copy in copies.values.joined() { _ = Glibc.close(copy) } }
        guard let (near, raw) = try? MessageSocket.pair() else { return nil }
        let far = MessageSocket(FileDescriptor(owning: raw))
        var arrived: [Binding: [Int32]] = [:]
        for (binding, descriptors) in copies {
            guard (try? near.send("\(binding)", descriptors: descriptors)) != nil, let message = try? far.receive()
            else {
                for socket in arrived.values.joined() { _ = Glibc.close(socket) }
                return nil
            }
            arrived[binding] = message.descriptors
        }
        return arrived
    }

    /// The engine owns the sockets whatever becomes of it, once it exists.
    private func takeOver(_ sockets: [Binding: [Int32]], _ configuration: EngineConfiguration) -> Gateway? {
        faults_choose_thread(1)
        defer { faults_choose_thread(-1) }
        if let gateway = try? Gateway(scene, inherited: sockets) {
            _ = gateway.engine.apply(configuration)
            return gateway
        }
        for socket in sockets.values.joined() { _ = Glibc.close(socket) }
        return nil
    }
}
