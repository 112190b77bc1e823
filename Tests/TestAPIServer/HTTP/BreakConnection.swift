internal import Glibc

/// Breaks a TCP connection with RST at once, whoever waits for it: connecting to no address (AF_UNSPEC) disconnects.
func breakConnection(_ descriptor: Int32) {
    var nowhere = sockaddr()
    nowhere.sa_family = sa_family_t(AF_UNSPEC)
    _ = connect(descriptor, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
}
