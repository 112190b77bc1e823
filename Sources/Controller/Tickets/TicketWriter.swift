internal import EngineModel
internal import FoundationEssentials
internal import KubernetesAPI
internal import KubernetesClient

/// The leader's part: makes the Secret of ticket keys, and rotates what it holds. Each write is made from what was just read and
/// carries its resourceVersion, so that of two that take themselves for the leader the second is refused.
struct TicketWriter {
    let server: any APIServer
    let key: ObjectKey
    let marker: String?

    /// Reads the Secret, and writes what is due. False: nothing was, or another replica was faster. `mayWrite` is asked right
    /// before a write. Blocks for seconds at most.
    func write(period: Int64, mayWrite: () -> Bool) throws(APIError) -> Bool {
        do throws(APIError) {
            guard let found = try read() else {
                let keys = TicketKeySet.fresh(at: wallSeconds(), makeKey: TicketKey.random)
                let owner = owner()
                guard mayWrite() else { return false }
                try send(.post, verb: "create", path(""), keys.secret(key, owner: owner))
                return true
            }
            guard let keys = after(found.secret, period: period), mayWrite() else { return false }
            try send(.put, verb: "update", path(key.name), keys.put(into: found.object))
            return true
        } catch {
            // Somebody else wrote.
            guard error.code == 409 else { throw error }
            return false
        }
    }

    /// What the Secret is to hold; nil: what it holds. Keys that cannot be read are of no use to anybody.
    private func after(_ secret: Secret, period: Int64) -> TicketKeySet? {
        let now = wallSeconds()
        guard let keys = try? TicketKeySet(secret) else { return .fresh(at: now, makeKey: TicketKey.random) }
        return keys.isDue(at: now, period: period) ? keys.rotated(at: now, next: .random()) : nil
    }

    private func read() throws(APIError) -> (secret: Secret, object: JSONValue)? {
        let body: [UInt8]
        do throws(APIError) {
            body = try send(.get, verb: "get", path(key.name)).body
        } catch {
            guard error.code == 404 else { throw error }
            return nil
        }
        guard let object = JSONValue(bytes: body), let secret = try? JSONDecoder().decode(Secret.self, from: Data(body))
        else { throw .malformed("the Secret in the answer cannot be read") }
        return (secret, object)
    }

    private func owner() -> OwnerMarker? {
        guard let marker else { return nil }
        let path = ObjectPath(group: "", version: "v1", plural: "configmaps", namespace: key.namespace, name: marker)
        let answer = try? send(.get, verb: "get", path)
        let uid = answer.flatMap { JSONValue(bytes: $0.body) }?["metadata"]?["uid"]?.text
        return uid.map { OwnerMarker(name: marker, uid: $0) }
    }

    private func path(_ name: String) -> ObjectPath {
        ObjectPath(
            group: "", version: "v1", plural: "secrets", namespace: key.namespace, name: name.isEmpty ? nil : name)
    }

    @discardableResult
    private func send(
        _ method: APIRequest.Method, verb: String, _ path: ObjectPath, _ body: JSONValue? = nil
    ) throws(APIError) -> APIResponse {
        var request = path.request(method, verb: verb, body)
        // Nobody is to wait for this thread.
        request.timeout = .seconds(3)
        if body != nil { request.query = [("fieldManager", "sluice")] }
        return try server.perform(request, retry: .none)
    }
}

extension TicketKey {
    /// From the system's random numbers.
    static func random() -> TicketKey {
        var generator = SystemRandomNumberGenerator()
        func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &generator) } }
        while true {
            let key = TicketKey(name: bytes(16), encryptionKey: bytes(32), authenticationKey: bytes(32))
            if let key { return key }
        }
    }
}
