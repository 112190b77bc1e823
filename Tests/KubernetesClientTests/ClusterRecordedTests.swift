import FoundationEssentials
import HTTPClient
import KubernetesAPI
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@testable import KubernetesClient

/// What a kube-apiserver said, given to the decoder, the machine and discovery.
@Suite("Recorded exchanges: caches")
struct ClusterRecordedTests {
    private struct Exchange: Decodable {
        struct Response: Decodable {
            var status: Int
            var headers: [String: String]
            var body: JSONValue?
            var stream: [JSONValue]?
        }
        var response: Response

        init(_ name: String) throws {
            let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
            let bytes = try readFile("/\(folder)/Recorded/\(name).json")
            self = try JSONDecoder().decode(Exchange.self, from: Data(bytes))
        }

        var body: [UInt8] {
            get throws { try Array(JSONEncoder().encode(response.body)) }
        }
        var lines: [[UInt8]] {
            get throws { try (response.stream ?? []).map { Array(try JSONEncoder().encode($0)) } }
        }
        /// As an informer has it.
        var error: APIError {
            get throws {
                if response.status != 200 {
                    let head = HTTPHead(
                        status: response.status, headers: response.headers.map { HTTPHeader($0.key, $0.value) })
                    if let text = response.body?.text { return .status(APIStatus(head: head, body: Array(text.utf8))) }
                    return .status(APIStatus(head: head, body: try body))
                }
                guard
                    case .error(let status) = try JSONDecoder().decode(
                        WatchEvent<TCPRoute>.self, from: Data(try lines.first ?? []))
                else { throw TestFailure("no error") }
                return .status(status.status)
            }
        }
    }

    private func cache<Resource: KubernetesResource>(
        _ path: EntryRule<Resource, Resource>.Path, _ contents: ClusterContents
    ) -> TypedCache<Resource, Resource> {
        TypedCache(
            kind: Resource.resourceKind, scope: CacheScope(), contents: contents,
            rule: EntryRule(
                path: path, changed: \.snapshotChanged, make: { resource, _ in resource }, forget: { _ in }),
            logger: .disabled)
    }

    @Test("pages of a list")
    func pages() throws {
        let contents = ClusterContents()
        let cache = cache(\.snapshot.tcpRoutes, contents)
        cache.begin()
        let first = try cache.page(Exchange("20-tcproute-list-page-1").body)
        #expect(first.resourceVersion == "339" && first.continueToken?.isEmpty == false)
        let second = try cache.page(Exchange("21-tcproute-list-page-2").body)
        #expect(second.resourceVersion == "339" && contents.snapshot.tcpRoutes.isEmpty)
        cache.commit()
        #expect(contents.snapshot.tcpRoutes.keys.map(\.name).sorted() == ["r0", "r1", "r2", "r3"])
        let key = ObjectKey(namespace: "rec", name: "r0")
        #expect(contents.snapshot.tcpRoutes[key]?.spec.rules.first?.backendRefs?.first?.port == 5432)
        #expect(contents.observed["TCPRoute", key]?.resourceVersion == "335")
        cache.begin()
        _ = try cache.page(Exchange("24-list-rv0").body)
        cache.commit()
        #expect(contents.snapshot.tcpRoutes.count == 5)
    }

    @Test("an item without a name does not spoil its list, an event without one is none")
    func nameless() throws {
        let contents = ClusterContents()
        let cache = cache(\.snapshot.services, contents)
        cache.begin()
        let good = #"{"metadata":{"name":"a","namespace":"x"},"spec":{}}"#
        let list = #"{"metadata":{"resourceVersion":"3"},"items":[{},{"metadata":7},\#(good)]}"#
        _ = try cache.page(Array(list.utf8))
        cache.commit()
        #expect(contents.snapshot.services.keys.map(\.name) == ["a"])
        for type in ["ADDED", "DELETED"] {
            let line = Array(#"{"type":"\#(type)","object":{"spec":{}}}"#.utf8)
            #expect(throws: ObjectFault.self) { try cache.line(line, isInitial: false) }
        }
        let unknown = try cache.line(Array(#"{"type":"NEWS","object":{}}"#.utf8), isInitial: false)
        #expect(unknown == .nothing && contents.snapshot.services.count == 1)
    }

    @Test("a watch: changes, deletion, bookmark")
    func watch() throws {
        let contents = ClusterContents()
        let cache = cache(\.snapshot.tcpRoutes, contents)
        var versions: [String] = []
        for line in try Exchange("26-watch-resume").lines {
            guard case .version(let version, let ends) = try cache.line(line, isInitial: false) else {
                throw TestFailure("no version")
            }
            #expect(!ends)
            versions.append(version)
        }
        #expect(versions.count == 5 && versions.last == "342")
        #expect(contents.snapshot.tcpRoutes.keys.contains { $0.name == "r7" })
    }

    @Test("a streaming list ends with its bookmark")
    func initialEvents() throws {
        let contents = ClusterContents()
        let cache = cache(\.snapshot.tcpRoutes, contents)
        cache.begin()
        let lines = try Exchange("27-watch-initial-events").lines
        let answers = try lines.map { try cache.line($0, isInitial: true) }
        #expect(answers.last == .version("345", endsInitialEvents: true))
        let ends = answers.dropLast().contains { answer in
            if case .version(_, true) = answer { true } else { false }
        }
        #expect(!ends && contents.snapshot.tcpRoutes.isEmpty)
        cache.commit()
        #expect(contents.snapshot.tcpRoutes.count == lines.count - 1)
    }

    @Test("too old a version, in both forms, and a bad continue token lead to a new list")
    func expired() throws {
        let now = MonotonicTime(nanoseconds: 0)
        var machine = InformerMachine(streamsLists: false, seed: 1)
        _ = machine.next(now: now)
        _ = machine.listed(continueToken: "bogus", resourceVersion: "1")
        _ = machine.next(now: now)
        machine.failed(try Exchange("22-continue-token-bad").error, now: now)
        #expect(machine.next(now: now) == .list(continueToken: nil, limit: 500))
        _ = machine.listed(continueToken: nil, resourceVersion: "1")
        _ = machine.next(now: now)
        machine.opened(now: now)
        machine.failed(try Exchange("28-watch-rv-too-old").error, now: now)
        #expect(machine.next(now: now) == .list(continueToken: nil, limit: 500))
        #expect(machine.restarts == [.expired: 1])
    }

    @Test("what is not permitted or not there is told apart")
    func refusals() throws {
        let now = MonotonicTime(nanoseconds: 0)
        for (name, isDenied) in [("11-rbac-denied-list", true), ("06-kind-absent", false)] {
            var machine = InformerMachine(streamsLists: false, seed: 1)
            _ = machine.next(now: now)
            machine.failed(try Exchange(name).error, now: now)
            if isDenied {
                guard case .denied("list", let message)? = machine.problem else { throw TestFailure("not denied") }
                #expect(message.contains(#"cannot list resource "secrets""#))
            } else {
                #expect(machine.problem == .absent)
            }
        }
    }

    @Test("Secrets by name: both events, and what makes no key pair is a fact")
    func secrets() throws {
        let contents = ClusterContents()
        let desk = RequestDesk(server: FakeAPIServer(), mailbox: Monitored(RequestDesk.Mailbox()))
        let factory = InformerFactory(
            contents: contents, timing: InformerTiming(), desk: desk, logger: .disabled, seed: 1)
        let key = ObjectKey(namespace: "rec", name: "cert")
        let cache = factory.secrets(CacheScope(namespace: "rec", name: "cert")) { _ in true }.cache
        for line in try Exchange("47-secret-watch-by-name").lines { _ = try cache.line(line, isInitial: false) }
        guard case .failure? = contents.snapshot.secrets[key]?.keyPair else { throw TestFailure("a pair") }
        #expect(factory.factsComputed == 1, "the second version has the same bytes")
        let map = ObjectKey(namespace: "rec", name: "kube-root-ca.crt")
        let maps = factory.configMap(map).cache
        for line in try Exchange("30-watch-field-selector").lines { _ = try maps.line(line, isInitial: false) }
        guard case .success(let facts)? = contents.snapshot.configMaps[map]?.caCertificates else {
            throw TestFailure("no facts")
        }
        #expect(facts.subjects.count == 1)
    }

    @Test("both forms of discovery say the same")
    func discovery() throws {
        let group: Set = ["gateway.networking.k8s.io"]
        let answer = try JSONDecoder().decode(
            DiscoveryAnswer.self, from: Data(try Exchange("03-discovery-aggregated").body))
        let served = try #require(answer.served(groups: group))
        for kind in ClusterKind.discovered where kind.resource.group == gatewayAPIGroup {
            #expect(served.choice(for: kind) == "v1", "\(kind.resource.kind)")
        }
        let old = try Exchange("02-discovery-legacy-groups").body
        #expect(try JSONDecoder().decode(DiscoveryAnswer.self, from: Data(old)).served(groups: group) == nil)
        let groups = try JSONDecoder().decode(GroupList.self, from: Data(old))
        #expect(groups.groups.contains { $0.name == gatewayAPIGroup })
        let resources = try JSONDecoder().decode(
            ResourceList.self, from: Data(try Exchange("04-discovery-resources").body))
        var gathered = ServedVersions()
        for resource in resources.resources {
            gathered.add(group: gatewayAPIGroup, version: "v1", plural: resource.name, verbs: resource.verbs ?? [])
        }
        for kind in ClusterKind.discovered where kind.resource.group == gatewayAPIGroup {
            #expect(gathered.choice(for: kind) == "v1", "\(kind.resource.kind)")
        }
    }
}
