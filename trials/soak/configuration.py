"""What the gateway serves: everything that stays, and what the changes begin with."""
from ..common.bench import free_port
from ..common.manifests import Folder
from .expectations import PRE_ROUTE_S

GATEWAY, NAMESPACE = "edge", "soak"
TCP = ("plain", "paired", "proxied", "headed", "throttled", "flapping", "guarded", "mortal", "lonely", "queued", "counted", "idle")
TERMINATED = {"terminate": "tls", "reencrypt": "tls", "mortal-tls": "tls", "mutual": "mutual", "postgres": "postgres",
              "strict": "strict"}
PORTS = (*TCP, "tls", "mutual", "postgres", "strict")
SERVER_NAMES = {"mortal-tls": "mortal.soak.test"}
# The certificates that are replaced while they are used.
ROTATED = ("terminate", "reencrypt", "mutual", "postgres")
PRE_ROUTE = f"{PRE_ROUTE_S}s"


def server_name(listener):
    return SERVER_NAMES.get(listener, f"{listener}.soak.test")


class Configuration:
    """The folder of manifests. `backends` is ports by backend and kind (plain, tls, headed)."""

    def __init__(self, path, backends, authority, clients):
        self.folder = Folder(path, NAMESPACE)
        self.backends = backends
        self.ports = {name: free_port() for name in PORTS}
        self.authority = authority
        self._clients = clients

    def write(self):
        folder = self.folder
        self.write_gateway(flapping=True)
        folder.put("trust", folder.authority("backends", self.authority), folder.authority("clients", self._clients))
        for listener in TERMINATED:
            self.write_certificate(listener)
        self._write_services()
        self._write_routes()
        self._write_policies()

    def listeners(self, flapping):
        made = [{"name": name, "protocol": "TCP", "port": self.ports[name]} for name in TCP if flapping or name != "flapping"]
        made.append({"name": "passthrough", "protocol": "TLS", "port": self.ports["tls"], "hostname": "passthrough.soak.test",
                     "tls": {"mode": "Passthrough"}})
        # Names that come and go: their routes do, the listener for them stays.
        made.append({"name": "passing", "protocol": "TLS", "port": self.ports["tls"], "hostname": "*.passing.test",
                     "tls": {"mode": "Passthrough"}})
        for name, port in TERMINATED.items():
            made.append({"name": name, "protocol": "TLS", "port": self.ports[port], "hostname": server_name(name),
                         "tls": {"mode": "Terminate", "certificateRefs": [{"name": name}]}})
        return made

    def write_gateway(self, flapping):
        validation = {"caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "clients"}]}
        frontend = {"default": {}, "perPort": [{"port": self.ports["mutual"], "tls": {"validation": validation}}]}
        self.folder.put("gateway", self.folder.gateway(GATEWAY, self.listeners(flapping), tls={"frontend": frontend}))

    def write_certificate(self, listener, announce=lambda fingerprint: None):
        """A new pair for a listener; `announce` is told its fingerprint just before anybody can be shown it."""
        pair = self.authority.issue(listener, server_name(listener))
        announce(pair.fingerprint())
        self.folder.put(f"certificate-{listener}", self.folder.tls_secret(listener, pair))

    def write_service(self, name, *ports):
        self.folder.put(f"service-{name}", *self.folder.service(name, *ports))

    def _write_services(self):
        a, b, c = (self.backends[name] for name in "abc")
        for name, backend in ("a", a), ("b", b):
            self.write_service(name, backend["plain"])
        self.write_service("pair", a["plain"], b["plain"], c["plain"])
        self.write_service("narrow", a["plain"], b["plain"])
        self.write_service("tls", a["tls"], b["tls"])
        self.write_service("verified", a["tls"], b["tls"])
        self.write_service("headed-v1", a["headed"], b["headed"])
        self.write_service("headed-v2", a["headed"], b["headed"])
        self.write_service("mortal", *(self.backends[name]["plain"] for name in ("m1", "m2", "m3")))
        self.write_service("lonely", self.backends["m4"]["plain"])

    def write_route(self, listener, backends):
        name = server_name(listener)
        hostnames = [name] if listener in TERMINATED or listener == "passthrough" else None
        self.folder.put(f"route-{listener}", self.folder.route(GATEWAY, listener, backends, hostnames=hostnames))

    def write_passing(self, name):
        self.folder.put(f"route-{name}", self.folder.route(GATEWAY, "passing", ["tls"], name=name, hostnames=[f"{name}.passing.test"]))

    def _write_routes(self):
        others = {"paired": "pair", "proxied": "headed-v1", "headed": "headed-v2", "mortal": "mortal", "mortal-tls": "mortal",
                  "lonely": "lonely", "queued": "narrow", "passthrough": "tls", "reencrypt": "verified"}
        for listener in (*TCP, "passthrough", *TERMINATED):
            service = others.get(listener)
            self.write_route(listener, [service] if service else {"a": 1, "b": 1})

    def _write_policies(self):
        folder = self.folder

        def client(name, **spec):
            return folder.policy("ClientPolicy", name, [("Gateway", GATEWAY, name)], **spec)

        folder.put(
            "policies",
            client("proxied", proxyProtocol={"mode": "Required", "trustedCIDRs": ["127.0.0.0/8"], "headerTimeout": PRE_ROUTE}),
            client("postgres", startTLS={"protocol": "Postgres", "mode": "Required"}),
            client("strict", timeout={"tcp": {"tlsHandshakeTimeout": PRE_ROUTE, "connectionInspectionTimeout": PRE_ROUTE}}),
            client("counted", connectionLimit={"perSourceIP": {"value": 2}}),
            client("idle", timeout={"tcp": {"idleTimeout": "1s", "halfCloseTimeout": "1s"}}),
            folder.policy("BackendPolicy", "headed-v1", [("Service", "headed-v1")], proxyProtocol={"version": "V1"}),
            folder.policy("BackendPolicy", "headed-v2", [("Service", "headed-v2")], proxyProtocol={"version": "V2"}),
            folder.policy("BackendPolicy", "narrow", [("Service", "narrow")], circuitBreaker={
                "maxConnections": 3, "maxPendingConnections": 4, "queueTimeout": "500ms"}),
            folder.policy("BackendPolicy", "lonely", [("Service", "lonely")], retry={"numRetries": 0}),
            folder.object("gateway.networking.k8s.io/v1", "BackendTLSPolicy", "verified", spec={
                "targetRefs": [{"group": "", "kind": "Service", "name": "verified"}],
                "validation": {"hostname": "backend.soak.test",
                               "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "backends"}]}}))
        self.write_throttle(4096)
        self.write_checks(500)
        self.write_guard(False)

    def write_throttle(self, kibibytes):
        limit = {"value": f"{kibibytes}Ki"}
        self.folder.put("throttle", self.folder.policy("ClientPolicy", "throttled", [("Gateway", GATEWAY, "throttled")],
                                                       bandwidthLimit={"request": limit, "response": limit}))

    def write_checks(self, milliseconds):
        self.folder.put("checks", self.folder.policy("BackendPolicy", "mortal", [("Service", "mortal")], healthCheck={
            "active": {"type": "TCP", "interval": f"{milliseconds}ms", "timeout": "1s", "unhealthyThreshold": 2}}))

    def write_guard(self, closed):
        """Whether clients at the listener `guarded` are kept out."""
        rule = {"name": "loopback", "action": "Deny" if closed else "Allow", "principal": {"clientCIDRs": ["127.0.0.0/8"]}}
        self.folder.put("guard", self.folder.policy("ClientPolicy", "guarded", [("Gateway", GATEWAY, "guarded")],
                                                    authorization={"defaultAction": "Deny", "rules": [rule]}))
