"""Authorities and pairs of keys and certificates: ECDSA P-256, made by openssl."""
import hashlib
import pathlib
import ssl
import subprocess
import typing

from .bench import Failure


class Pair(typing.NamedTuple):
    certificate: pathlib.Path
    key: pathlib.Path

    def fingerprint(self):
        """SHA-256 of the certificate's DER, in hexadecimal: what a client sees of it."""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate.read_text())).hexdigest()


class Authority:
    """An authority with its files in `folder`, which is made."""

    def __init__(self, folder, name="authority"):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.pair = _make(folder, name, "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")
        self.certificate = self.pair.certificate

    def issue(self, name, *hostnames, usage="serverAuth"):
        """A pair in NAME.crt and NAME.key; files of that name are replaced."""
        extensions = ["basicConstraints=critical,CA:FALSE", f"extendedKeyUsage={usage}"]
        if hostnames:
            extensions.append("subjectAltName=" + ",".join(f"DNS:{each}" for each in hostnames))
        return _make(self._folder, name, *extensions, issuer=self.pair)


def _make(folder, name, *extensions, issuer=None):
    made = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
               "-subj", f"/CN={name}", "-keyout", made.key, "-out", made.certificate]
    for extension in extensions:
        command += ["-addext", extension]
    if issuer:
        command += ["-CA", issuer.certificate, "-CAkey", issuer.key]
    outcome = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if outcome.returncode:
        raise Failure(f"{' '.join(map(str, command))}:\n{outcome.stderr}")
    return made
