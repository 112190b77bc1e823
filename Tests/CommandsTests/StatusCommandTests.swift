import FoundationEssentials
import Inspection
import TestSupport
import Testing

@testable import Commands

@Suite("Command status")
struct StatusCommandTests {
    private func options(_ arguments: String...) throws -> StatusOptions {
        let interpretation = Interpretation(["status"] + arguments) { _ in nil }
        guard case .status(let options) = interpretation else { throw TestFailure("\(interpretation)") }
        return options
    }

    private func refusal(_ arguments: String...) -> String {
        guard case .refuse(let line) = Interpretation(["status"] + arguments, environment: { _ in nil }) else {
            return ""
        }
        return line
    }

    @Test("operands and flags say what is shown, and whom to ask")
    func understood() throws {
        let plain = try options()
        #expect(plain.filter == StatusFilter() && plain.remote.output == .text && !plain.remote.watches)
        #expect(plain.remote.target == .address("127.0.0.1:19000"))
        let full = try options("gateway", "infra/edge", "-n", "apps", "-o", "wide", "-w", "--pod", "sys/sluice-0")
        #expect(full.filter.object == .init(kind: .gateway, namespace: "infra", name: "edge"))
        #expect(full.filter.namespace == "apps" && full.remote.output == .wide && full.remote.watches)
        #expect(
            full.remote.target == .cluster(.init(namespace: "sys", object: "pod/sluice-0", port: 19000)))
    }

    @Test("what cannot be understood is named")
    func refused() {
        #expect(refusal("gatway", "a/b").contains("'gatway' is no kind; did you mean 'gateway'?"))
        #expect(refusal("gateway").contains("gateway needs NAMESPACE/NAME"))
        #expect(refusal("gateway", "edge").contains("gateway needs NAMESPACE/NAME"))
        #expect(refusal("gateway", "infra/").contains("gateway needs NAMESPACE/NAME"))
        #expect(refusal("gateway", "a/b", "c").contains("unexpected argument 'c'"))
    }

    @Test("the tree is printed as text, JSON or YAML, what is filtered left out")
    func printed() throws {
        var tree = StatusTree()
        tree.gateways = [GatewayNode(namespace: "infra", name: "edge"), GatewayNode(namespace: "infra", name: "other")]
        func page(_ arguments: String...) throws -> String {
            let interpretation = Interpretation(["status"] + arguments) { _ in nil }
            guard case .status(let options) = interpretation else { throw TestFailure("\(interpretation)") }
            return try StatusCommand(options: options).page(tree, colours: false)
        }
        #expect(try page().hasPrefix("✓ Gateway infra/edge\n\n✓ Gateway infra/other\n"))
        #expect(try !page("gateway", "infra/edge").contains("other"))
        let json = try page("gateway", "infra/edge", "-o", "json")
        #expect(try JSONDecoder().decode(StatusTree.self, from: Data(json.utf8)).gateways.map(\.name) == ["edge"])
        #expect(try page("-o", "yaml").contains("name: other"))
    }
}
