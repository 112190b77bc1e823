"""A certificate authority and the pairs that proxies and backends use: ECDSA P-256, made by the openssl command."""
import subprocess

from .failure import Failure

FRONTEND_NAMES = ["passthrough.bench.test", "terminate.bench.test", "reencrypt.bench.test", "echo.bench.test"]
BACKEND_NAME = "backend.bench.test"


def _openssl(*arguments):
    outcome = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    if outcome.returncode:
        raise Failure(f"openssl {' '.join(map(str, arguments))}:\n{outcome.stderr}")


def _pair(folder, name, names, *signing):
    alternatives = ",".join(f"DNS:{each}" for each in names)
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", f"/CN={name}", "-addext", f"subjectAltName={alternatives}", *signing,
             "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt")


class Certificates:
    """Paths of what was made: the authority, a pair for proxies, a pair for backends."""

    def __init__(self, folder):
        folder.mkdir()
        self.authority = folder / "authority.crt"
        self.frontend, self.frontend_key = folder / "frontend.crt", folder / "frontend.key"
        self.backend, self.backend_key = folder / "backend.crt", folder / "backend.key"
        self.frontend_pem = folder / "frontend.pem"
        _pair(folder, "authority", ["authority.bench.test"])
        signing = ["-CA", self.authority, "-CAkey", folder / "authority.key", "-addext", "basicConstraints=critical,CA:FALSE"]
        _pair(folder, "frontend", FRONTEND_NAMES, *signing)
        # Passthrough ends TLS at the backend, under the name that the client asked for.
        _pair(folder, "backend", [BACKEND_NAME, "passthrough.bench.test"], *signing)
        # HAProxy reads certificate and key from one file.
        self.frontend_pem.write_text(self.frontend.read_text() + self.frontend_key.read_text())
