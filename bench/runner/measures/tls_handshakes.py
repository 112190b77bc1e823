"""New TLS connections, each with one message of 64 bytes there and back: the handshake full, with either kind of
certificate, or resumed. All by TLS 1.3 with one cipher suite and group, which the load generator asserts for each."""
from ..failure import Failure
from .connections import Connections
from .measure import Figure


def _figures(key, title):
    return [Figure(f"{key}_cpu_us", f"{title}, + 64 B echo: CPU µs", 0),
            Figure(f"{key}_per_s", f"{title}, + 64 B echo: per second", 0, "higher")]


class Handshakes(Connections):
    name = "handshakes"
    service = "tls-echo"
    count = 800
    certificate = "EC-256"
    figures = [
        Figure("handshake_cpu_us", "TLS 1.3 connection, ECDSA P-256, + 64 B echo: CPU µs", 0),
        Figure("handshakes_per_s", "TLS 1.3 connection, ECDSA P-256, + 64 B echo: per second", 0, "higher"),
    ]

    def check(self, result):
        wanted = " ".join(["TLSv1.3 TLS_AES_256_GCM_SHA384 X25519", self.certificate, *(["resumed"] if self.flags else [])])
        if result["tls"] != wanted:
            raise Failure(f"the connections used {result['tls']}, not {wanted}")


class HandshakesRSA(Handshakes):
    name = "handshakes-rsa"
    service = "tls-echo-rsa"
    certificate = "RSA-2048"
    figures = _figures("handshake_rsa", "TLS 1.3 connection, RSA-2048")


class HandshakesResumed(Handshakes):
    name = "handshakes-resumed"
    flags = ("--resume",)
    figures = _figures("handshake_resumed", "TLS 1.3 connection, resumed")
