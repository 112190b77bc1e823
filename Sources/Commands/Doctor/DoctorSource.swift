internal import HTTPClient
internal import Platform
internal import Primitives

/// What a path answered.
struct DoctorAnswer: Sendable {
    /// Nil: nothing.
    var status: Int?
    var body: [UInt8] = []
    /// Why there is no answer.
    var problem: String?

    /// The body of an answer that is as it should be.
    var content: [UInt8]? { status == 200 ? body : nil }
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// Whoever is asked: a running gateway, or a test's stand-in. Blocks.
protocol DoctorSource: Sendable {
    /// A path of the admin address, with its query.
    func admin(_ path: String) -> DoctorAnswer
    /// A path of the probe address.
    func probe(_ path: String) -> DoctorAnswer
}

/// A running gateway, here or in a cluster.
struct RemoteDoctorSource: DoctorSource {
    private let client: HTTPClient
    /// Host and port; why there is none.
    private let adminAddress: Result<String, StartFailure>
    private let probeAddress: Result<String, StartFailure>
    private let forwards: [PortForward]

    init(_ options: DoctorOptions) throws(StartFailure) {
        var http = HTTPClientOptions(userAgent: "sluice/\(sluiceVersion)")
        http.proxy = ""
        http.connectTimeout = .seconds(5)
        do { client = try HTTPClient(http) } catch { throw StartFailure("sluice doctor: cannot start: \(error)") }
        switch options.target {
        case .address(let address):
            (adminAddress, probeAddress, forwards) = (.success(address), .success("\(options.probeAddress)"), [])
        case .cluster(let target):
            // Without a gateway to ask there is nothing to say.
            let admin = try PortForward(target, command: "doctor", signals: nil)
            var probes = target
            probes.port = options.probeAddress.port
            do throws(StartFailure) {
                let probe = try PortForward(probes, command: "doctor", signals: nil)
                (probeAddress, forwards) = (.success(probe.address), [admin, probe])
            } catch {
                (probeAddress, forwards) = (.failure(error), [admin])
            }
            adminAddress = .success(admin.address)
        }
    }

    func close() {
        client.close()
        for forward in forwards { forward.close() }
    }

    func admin(_ path: String) -> DoctorAnswer { get(adminAddress, path) }
    func probe(_ path: String) -> DoctorAnswer { get(probeAddress, path) }

    private func get(_ address: Result<String, StartFailure>, _ path: String) -> DoctorAnswer {
        let host: String
        switch address {
        case .success(let text): host = text
        case .failure(let failure): return DoctorAnswer(problem: failure.description)
        }
        var request = HTTPRequest("GET", "http://\(host)\(path)")
        request.timeout = .seconds(30)
        do throws(TransportError) {
            let response = try client.perform(request)
            return DoctorAnswer(status: response.head.status, body: response.body)
        } catch {
            return DoctorAnswer(problem: "\(host) does not answer: \(error)")
        }
    }
}
