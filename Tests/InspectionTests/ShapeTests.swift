import Inspection
import Testing

@Suite("Shapes")
struct ShapeTests {
    @Test("a chain is served until one link is broken")
    func served() {
        var explanation = Explanation(object: "TCPRoute infra/redis")
        explanation.links.append(.init(.warning, object: "Gateway infra/edge", message: "its certificate expires soon"))
        #expect(explanation.isServed)
        explanation.links.append(.init(.broken, object: "Service infra/redis:6379", message: "has no endpoints"))
        #expect(!explanation.isServed)
    }
}
