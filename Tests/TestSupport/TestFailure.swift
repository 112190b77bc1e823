/// Why a helper could not do its work: a test that throws it says what was expected and what came.
public struct TestFailure: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
