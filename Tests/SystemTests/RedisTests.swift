internal import TestSupport
internal import Testing

extension Process {
    @Suite("Redis", .timeLimit(.minutes(2)))
    struct RedisTests {
        @Test(
            "50 clients of redis-benchmark run without an error, and what is set through the gateway is in the server")
        func benchmark() throws {
            let redis = try Redis()
            let port = try Ports.free()
            let sluice = try Sluice.ready(
                Manifest.gateway([.init(name: "redis", port: port)]),
                Manifest.tcpRoute("redis", to: "redis", section: "redis"),
                Manifest.service("redis", at: redis.port))

            let value = String(repeating: "a value that crosses the gateway; ", count: 3000)
            #expect(try Redis.command(["SET", "through", value], at: port) == "OK")
            #expect(try Redis.command(["GET", "through"], at: redis.port) == value)

            // One request at a time, and sixteen without waiting for the answer.
            for pipeline in ["1", "16"] {
                let result = try run(
                    [
                        try Installation.program("redis-benchmark"), "-h", "127.0.0.1", "-p", "\(port)", "-c", "50",
                        "-n", "20000", "-t", "set,get", "-P", pipeline, "--csv",
                    ], within: .seconds(60))
                let output = try result.checked()
                #expect(output.contains("\"SET\"") && output.contains("\"GET\""), "\(output)")
                #expect(!(output + result.errors).lowercased().contains("error"), "\(output)\(result.errors)")
            }
            #expect(try Redis.command(["STRLEN", "key:__rand_int__"], at: redis.port) == "3")

            let route = ["gateway": "gw", "listener": "redis", "route_kind": "TCPRoute", "route": "redis"]
            try sluice.waitForMetrics("no active connection") {
                $0.value("sluice_tcp_connections_active", route) == 0
            }
            let metrics = try sluice.metrics()
            #expect(metrics.sum("sluice_tcp_connections_opened_total", route) >= 201)
            #expect(
                metrics.sum("sluice_tcp_connections_opened_total", route)
                    == metrics.sum("sluice_tcp_connections_closed_total", route))
            #expect(metrics.sum("sluice_listener_connections_rejected_total") == 0)
            try sluice.stop()
        }
    }
}
