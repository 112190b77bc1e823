extension FuzzTarget {
    /// The state machine of a connection: a real engine over loopback, both ends by a script, against a model of what each side must
    /// get and which reason is counted.
    static let connections = FuzzTarget(name: "connections", maxLength: 192) { bytes in
        var input = FuzzInput(bytes)
        let script = ConnectionScript(&input)
        try ConnectionRun(script, try EngineUnderTest.shared.get()).run()
    }
}
