import Engine
import EngineModel
import FoundationEssentials
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Many health checks", .timeLimit(.minutes(3)))
struct ManyChecksTests {
    /// Sockets of the kernel's table that have one of the ports at either end, by state.
    private func sockets(at ports: Set<UInt16>) throws -> [Substring: Int] {
        var states: [Substring: Int] = [:]
        let table = try String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)
        for line in table.split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ")
            guard fields.count > 3 else { continue }
            let ends = [fields[1], fields[2]].compactMap {
                $0.split(separator: ":").last.flatMap { UInt16($0, radix: 16) }
            }
            if !ports.isDisjoint(with: ends) { states[fields[3], default: 0] += 1 }
        }
        return states
    }

    @Test("2,000 endpoints are checked twice; no connection stays open or in TIME_WAIT")
    func many() throws {
        let harness = try EngineHarness(workers: 1)
        let ports = try (0..<8).map { _ in try freePort() }
        var servers: [PlainServer] = []
        var endpoints: [EndpointConfiguration] = []
        for host in 0..<250 {
            for port in ports {
                let address = SocketAddress(.v4(0x7f01_0001 + UInt32(host)), port)
                servers.append(try PlainServer(on: address, backlog: 64))
                endpoints.append(EndpointConfiguration(address: .ip(address)))
            }
        }
        var configuration = BackendConfiguration(id: backendID("many"), endpoints: endpoints.sorted())
        var check = activeCheck()
        (check.interval, check.timeout, check.initialJitter) = (.seconds(1), .seconds(5), .milliseconds(200))
        configuration.settings.health.active = check
        harness.apply([], [configuration])
        #expect(waitUntil(deadline: .seconds(60)) { harness.passes("many") >= 4000 })
        #expect(harness.endpoints("many").allSatisfy { $0.state == .healthy })
        harness.apply([], [])
        let established: Substring = "01"
        let timeWait: Substring = "06"
        let listening: Substring = "0A"
        #expect(try waitUntil { try sockets(at: Set(ports))[established] == nil })
        let states = try sockets(at: Set(ports))
        #expect(states[timeWait] == nil)
        #expect(states.keys.allSatisfy { $0 == listening }, "\(states)")
        #expect(servers.count == 2000)
    }
}
