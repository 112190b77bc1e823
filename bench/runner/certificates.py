"""A certificate authority and the pairs that proxies and backends use: ECDSA P-256 and one RSA-2048, made by openssl."""
import subprocess

from .failure import Failure

# Each listener that ends TLS has a pair of its own, as it would have in earnest.
FRONTENDS = ["terminate", "reencrypt", "echo", "rsa", "bulk", "upload", "rebulk"]
RSA = ("rsa",)
BACKEND_NAME = "backend.bench.test"


def _openssl(*arguments):
    outcome = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    if outcome.returncode:
        raise Failure(f"openssl {' '.join(map(str, arguments))}:\n{outcome.stderr}")


def _pair(folder, name, names, *signing):
    alternatives = ",".join(f"DNS:{each}" for each in names)
    key = ["rsa:2048"] if name in RSA else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    _openssl("req", "-x509", "-newkey", *key, "-nodes", "-days", "2",
             "-subj", f"/CN={name}", "-addext", f"subjectAltName={alternatives}", *signing,
             "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt")


class Certificates:
    """What was made: the authority, a pair for backends, and NAME.crt, NAME.key, NAME.pem in `folder` for FRONTENDS."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self.authority = folder / "authority.crt"
        self.backend, self.backend_key = folder / "backend.crt", folder / "backend.key"
        _pair(folder, "authority", ["authority.bench.test"])
        signing = ["-CA", self.authority, "-CAkey", folder / "authority.key", "-addext", "basicConstraints=critical,CA:FALSE"]
        # Passthrough ends TLS at the backend, under the name that the client asked for.
        _pair(folder, "backend", [BACKEND_NAME, "passthrough.bench.test"], *signing)
        for name in FRONTENDS:
            _pair(folder, name, [f"{name}.bench.test"], *signing)
            # HAProxy reads certificate and key from one file.
            both = (folder / f"{name}.crt").read_text() + (folder / f"{name}.key").read_text()
            (folder / f"{name}.pem").write_text(both)
