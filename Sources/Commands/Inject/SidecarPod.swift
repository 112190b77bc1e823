/// What a pod gets: an init container that stays, and two volumes. Each text is an element of a list, from its dash on.
struct SidecarPod {
    static let container = "sluice"
    static let volumes = ["sluice", "sluice-no-token"]
    static let folder = "/etc/sluice"

    let settings: SidecarSettings
    /// The ConfigMap with the manifests.
    let configMap: String

    var containerText: String {
        let ports = settings.terminated.map { "  - {name: sluice-\($0.port), containerPort: \($0.port)}\n" }.joined()
        return """
            - name: sluice
              image: \(settings.image)
              # With it an init container stays: it starts before the others and ends after them (Kubernetes 1.29 or later).
              restartPolicy: Always
              args:
              - run
              - --manifests=\(Self.folder)
              - --probe-address=[::]:\(settings.probePort)
              - --workers=1
              - --buffer-memory=16Mi
              # When this one ends the application has ended already: nobody has to be let in any more.
              - --accept-grace=0s
              - --drain-deadline=5s
              ports:
              - {name: sluice-probes, containerPort: \(settings.probePort)}

            """ + ports + probes + security
    }

    private var probes: String {
        """
          # The application starts once this succeeds.
          startupProbe:
            httpGet: {path: /readyz, port: \(settings.probePort)}
            periodSeconds: 1
            failureThreshold: 60
          readinessProbe:
            httpGet: {path: /readyz, port: \(settings.probePort)}
            periodSeconds: 5
            timeoutSeconds: 3
          livenessProbe:
            httpGet: {path: /livez, port: \(settings.probePort)}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6

        """
    }

    private var security: String {
        """
          resources:
            requests: {cpu: 50m, memory: 48Mi}
          securityContext:
            runAsNonRoot: true
            runAsUser: 15480
            runAsGroup: 15480
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
            seccompProfile: {type: RuntimeDefault}
          volumeMounts:
          - {name: sluice, mountPath: \(Self.folder), readOnly: true}
          # In the place of the token for the API server, which other containers of the pod may have.
          - {name: sluice-no-token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}

        """
    }

    var volumesText: String {
        var text = """
            - name: sluice
              # The folder of manifests; what they refer to by name stands under secrets/.
              projected:
                sources:
                - configMap: {name: \(configMap)}

            """
        if let name = settings.secret { text += source("secret", name, as: "server", ["tls.crt", "tls.key"]) }
        if let authority = settings.clientAuthority { text += source(authority, as: "clients") }
        if let authority = settings.serverAuthority { text += source(authority, as: "servers") }
        if let name = settings.clientSecret { text += source("secret", name, as: "client", ["tls.crt", "tls.key"]) }
        return text + "- name: sluice-no-token\n  emptyDir: {}\n"
    }

    private func source(_ authority: AuthorityReference, as name: String) -> String {
        source(authority.isSecret ? "secret" : "configMap", authority.name, as: name, ["ca.crt"])
    }

    /// One object's keys as files by which the manifests know them.
    private func source(_ kind: String, _ object: String, as name: String, _ keys: [String]) -> String {
        "    - \(kind):\n        name: \(object)\n        items:\n"
            + keys.map { "        - {key: \($0), path: secrets/default/\(name)/\($0)}\n" }.joined()
    }
}
