import Platform
import Primitives
import Testing

@Suite("Local addresses")
struct LocalAddressesTests {
    @Test("a host has at least one, sorted, and never loopback beside others")
    func found() {
        let addresses = Host.localAddresses
        #expect(!addresses.isEmpty)
        #expect(addresses == addresses.sorted())
        #expect(Set(addresses.map(\.isLoopback)).count == 1)
    }
}
