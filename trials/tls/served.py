"""The gateway that is checked: listeners that end TLS as it is by default, and a few that are configured otherwise."""
import contextlib
import pathlib
import subprocess
import tempfile

from trials.common.bench import Failure, Processes, free_port
from trials.common.certificates import Authority, Pair
from trials.common.gateway import Gateway
from trials.common.manifests import Folder

from .answering import AnsweringBackend

NAME = "tls.trial.test"
# RSA key exchange, CBC, finite-field Diffie-Hellman.
LEGACY = [f"{exchange}{suite}" for suite in ("AES128-SHA", "AES256-SHA", "AES128-SHA256", "AES256-SHA256", "AES128-GCM-SHA256",
                                             "AES256-GCM-SHA384") for exchange in ("DHE-RSA-", "")]
LEGACY += [f"ECDHE-RSA-{suite}" for suite in ("AES128-SHA", "AES256-SHA", "AES128-SHA256", "AES256-SHA384", "AES128-GCM-SHA256",
                                              "AES256-GCM-SHA384", "CHACHA20-POLY1305")]
LEGACY += ["DHE-RSA-CHACHA20-POLY1305"]
LEGACY_GROUPS = ["X25519", "P-256", "X448", "P-384", "P-521", *(f"ffdhe{bits}" for bits in (2048, 3072, 4096, 6144, 8192))]


def _rsa_pair(folder):
    """An RSA pair of its own: the other key type that servers have."""
    pair = Pair(folder / "rsa.crt", folder / "rsa.key")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}",
               "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", pair.key, "-out", pair.certificate]
    outcome = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if outcome.returncode:
        raise Failure(outcome.stderr)
    return pair


class Served:
    """Ports by what stands behind them:

    default   both key types, everything else as it is where nobody configured it
    ecdsa, rsa  the same with one of the pairs
    legacy    the RSA pair, and by name the suites of TLS 1.2 and groups that nobody gets by default: checkers speak them all the time
    weak      the RSA pair, and nothing but key exchange without forward secrecy: what checkers must complain of
    mutual    a certificate is demanded of clients
    plain     no TLS
    """

    LISTENERS = ("default", "ecdsa", "rsa", "legacy", "weak", "mutual", "plain")

    def __init__(self, processes, folder, binary, *flags):
        self.folder = folder
        self.authority = Authority(folder / "pki")
        self.pairs = {"ecdsa": self.authority.issue("ecdsa", NAME), "rsa": _rsa_pair(folder)}
        self.client = self.authority.issue("client", usage="clientAuth")
        self.backend = AnsweringBackend()
        self.ports = {name: free_port() for name in self.LISTENERS}
        manifests = Folder(folder / "manifests", "default")
        manifests.put("all", *self._objects(manifests))
        self.gateway = Gateway(processes, folder, binary, manifests.path, *flags)
        self.gateway.wait_until_ready()

    def _objects(self, manifests):
        pairs = {"default": ["ecdsa", "rsa"], "rsa": ["rsa"], "legacy": ["rsa"], "weak": ["rsa"]}
        listeners = []
        for name, port in self.ports.items():
            listener = {"name": name, "port": port, "protocol": "TCP" if name == "plain" else "TLS"}
            if name != "plain":
                listener["tls"] = {"mode": "Terminate",
                                   "certificateRefs": [{"name": pair} for pair in pairs.get(name, ["ecdsa"])]}
            listeners.append(listener)
        guarded = [listener for listener in listeners if listener["name"] == "mutual"]
        validation = {"caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "authority"}]}
        objects = [manifests.gateway("gw", [listener for listener in listeners if listener not in guarded]),
                   manifests.gateway("guarded", guarded, tls={"frontend": {"default": {"validation": validation}}}),
                   *manifests.service("backend", self.backend.port), manifests.authority("authority", self.authority)]
        objects += [manifests.route("guarded" if name == "mutual" else "gw", name, ["backend"]) for name in self.ports]
        objects += [manifests.tls_secret(name, pair) for name, pair in self.pairs.items()]
        objects.append(manifests.policy("ClientPolicy", "legacy", [("Gateway", "gw", "legacy")], tls={
            "ciphers": LEGACY, "ecdhCurves": LEGACY_GROUPS}))
        objects.append(manifests.policy("ClientPolicy", "weak", [("Gateway", "gw", "weak")],
                                        tls={"ciphers": ["AES128-SHA", "AES256-SHA"], "maxVersion": "1.2"}))
        return objects


@contextlib.contextmanager
def served(binary, *flags):
    with tempfile.TemporaryDirectory(prefix="sluice-tls-") as path:
        folder = pathlib.Path(path)
        with Processes(folder) as processes:
            yield Served(processes, folder, binary, *flags)
