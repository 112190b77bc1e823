extension TestAPIServer {
    /// A kubeconfig for this server, as kubectl and Sluice read it.
    public func kubeconfig(token: String? = nil) -> String {
        kubeconfigText(server: url, authorityPEM: nil, token: token)
    }
}

extension HTTP2Front {
    /// A kubeconfig for the server behind it, over TLS. Without any credentials kubectl would ask for a user's name.
    public func kubeconfig(token: String = "anyone") -> String {
        kubeconfigText(server: url, authorityPEM: authorityPEM, token: token)
    }
}

private func kubeconfigText(server: String, authorityPEM: String?, token: String?) -> String {
    let authority = authorityPEM.map { ", certificate-authority-data: \(base64(Array($0.utf8)))" } ?? ""
    let user = token.map { "token: \"\($0)\"" } ?? ""
    return """
        apiVersion: v1
        kind: Config
        clusters: [{name: test, cluster: {server: "\(server)"\(authority)}}]
        users: [{name: test, user: {\(user)}}]
        contexts: [{name: test, context: {cluster: test, user: test, namespace: default}}]
        current-context: test

        """
}
