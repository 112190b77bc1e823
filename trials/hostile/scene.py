"""What is attacked: a gateway with a listener for each way in, before echoes and a source."""
import subprocess

from ..common.bench import REPOSITORY, Failure, Processes, free_port  # noqa: F401
from ..common.certificates import Authority
from ..common.gateway import Gateway
from ..common.manifests import Folder
from runner import load

from .placing import Placing

NAME = "echo.bench.test"
SERVICES = "tcp", "bulk", "proxy", "tls", "guarded", "bounded", "impatient", "postgres", "mutual"
# Where clients that behave connect too; their backend serves nobody else.
SHARED = "tls", "guarded", "bounded"
# Of all others, so that who says nothing meets its time within a round. The defaults, which hold there, are 10 s, and 5 s for
# a PROXY header.
PATIENCE = "2s"
# Of `guarded`: connections a second that one source may open.
FROM_ONE_SOURCE = 200
# Of `bounded`: connections that one source may hold.
HELD_BY_ONE_SOURCE = 500


class Scene:
    def __init__(self, processes, folder, binary, *, max_connections, busy=False):
        self.processes, self.folder, self.placing = processes, folder, Placing(folder, busy)
        program = load.build(REPOSITORY / ".build/bench")
        # Clients that behave, and whom they reach; and what attackers reach.
        self.load, others = load.Load(self.placing.calm(program), processes), load.Load(program, processes)
        self.authority = Authority(folder / "certificates")
        self.pair = self.authority.issue("server", NAME)
        self.backends = {"echo": self.load.serve("echo", "echo")[1]}
        self.backends |= {name: others.serve(name, mode)[1] for name, mode in (("victim", "echo"), ("source", "source"))}
        _, self.direct = self.load.serve("direct", "echo", "--cert", self.pair.certificate, "--key", self.pair.key)
        self.ports = {service: free_port() for service in SERVICES}
        self._write()
        self.gateway = Gateway(
            processes, folder, self.placing.gateway(binary), folder / "manifests", "--workers", 1, "--log-level", "warning",
            "--max-connections", max_connections)
        self.gateway.wait_until_ready()

    def target(self, service):
        """Where a client that behaves connects to; `direct` is the echo itself, without a gateway."""
        if service == "direct":
            return load.Target(self.direct, NAME, self.authority.certificate)
        tls = (NAME, self.authority.certificate) if service in SHARED else (None, None)
        return load.Target(self.ports[service], *tls)

    def _write(self):
        folder = Folder(self.folder / "manifests", "trial")
        secret = [{"name": "server"}]

        def listener(name):
            port = {"name": name, "port": self.ports[name]}
            if name in ("tcp", "bulk", "proxy"):
                return {**port, "protocol": "TCP"}
            return {**port, "protocol": "TLS", "hostname": NAME, "tls": {"mode": "Terminate", "certificateRefs": secret}}

        edge = folder.gateway("edge", [listener(name) for name in SERVICES if name != "mutual"])
        mutual = folder.gateway("mutual", [listener("mutual")], tls={"frontend": {"default": {"validation": {
            "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "clients"}]}}}})
        folder.put("gateways", edge, mutual, folder.tls_secret("server", self.pair), folder.authority("clients", self.authority))
        folder.put("services", *(each for name, port in self.backends.items() for each in folder.service(name, port)))
        folder.put(
            "routes", folder.route("edge", "tcp", ["victim"]), folder.route("edge", "proxy", ["victim"]),
            folder.route("edge", "bulk", ["source"]), *(folder.route("edge", name, ["echo"], hostnames=[NAME]) for name in SHARED),
            *(folder.route("edge", name, ["victim"], hostnames=[NAME]) for name in ("impatient", "postgres")),
            folder.route("mutual", "mutual", ["victim"], hostnames=[NAME]))
        timeout = {"tcp": {"connectionInspectionTimeout": PATIENCE, "tlsHandshakeTimeout": PATIENCE}}
        folder.put(
            "policies",
            folder.policy("ClientPolicy", "patience", [("Gateway", "edge", "impatient")], timeout=timeout),
            folder.policy("ClientPolicy", "guarded", [("Gateway", "edge", "guarded")], connectionRateLimit={
                "perSourceIP": {"connections": FROM_ONE_SOURCE}}),
            folder.policy("ClientPolicy", "bounded", [("Gateway", "edge", "bounded")], connectionLimit={
                "perSourceIP": {"value": HELD_BY_ONE_SOURCE}}, timeout=timeout),
            folder.policy("ClientPolicy", "proxy", [("Gateway", "edge", "proxy")], proxyProtocol={
                "mode": "Required", "trustedCIDRs": ["127.0.0.0/8", "10.0.0.0/8"], "headerTimeout": PATIENCE}),
            folder.policy("ClientPolicy", "postgres", [("Gateway", "edge", "postgres")],
                          startTLS={"protocol": "Postgres", "mode": "Required"}, timeout=timeout))

    def long_chain(self):
        """A folder with a key and a chain of 400 certificates, about 200 KB: more than OpenSSL takes of a client."""
        client = self.authority.issue("client", usage="clientAuth")
        chain = self.folder / "certificates/chain.crt"
        chain.write_text(client.certificate.read_text() + self.authority.certificate.read_text() * 400)
        return chain.parent

    def reasons(self, metrics):
        """How many connections were closed or refused, by reason."""
        found = {}
        for name in ("sluice_tcp_connections_closed_total", "sluice_listener_connections_rejected_total"):
            for labels, value in metrics.matching(name):
                found[labels["reason"]] = found.get(labels["reason"], 0) + value
        return found


def built_binary():
    outcome = subprocess.run([REPOSITORY / "scripts/build"], stdout=subprocess.PIPE, text=True)
    if outcome.returncode:
        raise Failure("the gateway does not build")
    return outcome.stdout.split()[-1]
