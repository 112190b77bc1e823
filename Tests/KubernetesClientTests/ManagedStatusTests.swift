import FoundationEssentials
import KubernetesAPI
import Testing

@testable import KubernetesClient

@Suite("Managed status")
struct ManagedStatusTests {
    @Test("of a Gateway is known who wrote its conditions")
    func managers() throws {
        let accepted = #"{"f:status":{"f:conditions":{"k:{\"type\":\"Accepted\"}":{"f:status":{}}}}}"#
        let json = """
            {"metadata":{"name":"edge","namespace":"shop","managedFields":[
              {"manager":"sluice","operation":"Update","subresource":"status","fieldsV1":\(accepted)},
              {"manager":"kubectl","operation":"Apply","fieldsV1":{"f:spec":{}}},
              {"manager":"else","operation":"Update","subresource":"status","fieldsV1":{"f:status":{"f:addresses":{}}}}]},
             "spec":{"gatewayClassName":"sluice","listeners":[]}}
            """
        let gateway = try JSONDecoder().decode(ReceivedObject<Gateway>.self, from: Data(json.utf8))
        #expect(gateway.conditionManagers == ["sluice"])
        let bare = #"{"metadata":{"name":"a","managedFields":7},"spec":{"gatewayClassName":"b","listeners":[]}}"#
        let other = try JSONDecoder().decode(ReceivedObject<Gateway>.self, from: Data(bare.utf8))
        #expect(other.conditionManagers == [] && other.metadata.name == "a")
    }
}
