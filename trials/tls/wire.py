"""TLS on the wire, as far as it is in clear: records, hellos that can be malformed, and what a server answers to them."""
import os
import socket
import struct

HANDSHAKE, ALERT, CHANGE_CIPHER_SPEC, APPLICATION_DATA = 22, 21, 20, 23
ALERTS = {0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure",
          42: "bad_certificate", 47: "illegal_parameter", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version",
          71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback", 100: "no_renegotiation",
          109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name", 116: "certificate_required",
          120: "no_application_protocol"}
X25519, P256, P384, P521, X448 = 29, 23, 24, 25, 30


def vector(size, content):
    """Bytes with their length before them, in `size` bytes."""
    return len(content).to_bytes(size, "big") + content


def record(kind, content, version=0x0301, length=None):
    return struct.pack(">BHH", kind, version, len(content) if length is None else length) + content


def message(kind, content, length=None):
    return bytes([kind]) + (len(content) if length is None else length).to_bytes(3, "big") + content


def extension(kind, content):
    return struct.pack(">H", kind) + vector(2, content)


def numbers(values):
    return b"".join(struct.pack(">H", value) for value in values)


def supported_groups(*groups):
    return extension(10, vector(2, numbers(groups)))


def signature_algorithms(*algorithms):
    return extension(13, vector(2, numbers(algorithms)))


def key_share(*shares):
    return extension(51, vector(2, b"".join(struct.pack(">H", group) + vector(2, share) for group, share in shares)))


STRONG = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601)
SUITES_12 = (0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8)
SUITES_13 = (0x1301, 0x1302, 0x1303)


def extensions_13(shares=None, groups=(X25519, P256), versions=(0x0304,), more=()):
    shares = [(X25519, os.urandom(32))] if shares is None else shares
    return [supported_groups(*groups), signature_algorithms(*STRONG), extension(43, vector(1, numbers(versions))),
            key_share(*shares), *more]


EXTENSIONS_12 = [supported_groups(X25519, P256, P384, P521), extension(11, b"\x01\x00"), signature_algorithms(*STRONG),
                 extension(23, b"")]


def client_hello(extensions, suites=SUITES_12, version=0x0303, session=b"", compression=b"\x00", session_length=None, tail=b""):
    body = struct.pack(">H", version) + os.urandom(32)
    body += bytes([len(session) if session_length is None else session_length]) + session
    body += vector(2, numbers(suites)) + vector(1, compression)
    if extensions is not None:
        body += vector(2, b"".join(extensions))
    return message(1, body + tail)


class Peer:
    """A connection to a server, and what it answers in clear."""

    def __init__(self, port, patience=5):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def next_record(self):
        """(type, content), or how the stream ended: "end", "reset", "silence"."""
        while len(self._received) < 5 or len(self._received) < 5 + int.from_bytes(self._received[3:5], "big"):
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                return "reset"
            except TimeoutError:
                return "silence"
            if not more:
                return "end"
            self._received += more
        size = 5 + int.from_bytes(self._received[3:5], "big")
        kind, content, self._received = self._received[0], self._received[5:size], self._received[size:]
        return kind, content

    def messages(self):
        """Handshake messages in clear until something else comes: ([(type, content)], what came)."""
        found, pending = [], b""
        while True:
            answer = self.next_record()
            if isinstance(answer, str) or answer[0] != HANDSHAKE:
                return found, answer
            pending += answer[1]
            while len(pending) >= 4 and len(pending) >= 4 + int.from_bytes(pending[1:4], "big"):
                size = 4 + int.from_bytes(pending[1:4], "big")
                found.append((pending[0], pending[4:size]))
                pending = pending[size:]
                if found[-1][0] == 14:
                    return found, "done"


def outcome(answer):
    """An answer in words: the name of an alert, "end", "reset", "silence", or what else came."""
    if isinstance(answer, str):
        return answer
    kind, content = answer
    if kind == ALERT and len(content) == 2:
        return ALERTS.get(content[1], f"alert {content[1]}")
    return {CHANGE_CIPHER_SPEC: "change_cipher_spec", APPLICATION_DATA: "application_data"}.get(kind, f"record {kind}")


def reply(port, *parts):
    """What a server answers to bytes: "server_hello", "hello_retry", or an outcome."""
    with Peer(port) as peer:
        try:
            for part in parts:
                peer.send(part)
        except (ConnectionResetError, BrokenPipeError):
            return "reset"
        answer = peer.next_record()
        if isinstance(answer, tuple) and answer[0] == HANDSHAKE and answer[1][:1] == b"\x02":
            retry = answer[1][6:38].hex().startswith("cf21ad74e59a6111")
            return "hello_retry" if retry else "server_hello"
        return outcome(answer)


def server_hello(port, hello, version=0x0301):
    """(version, suite, random) of the answer to a hello, or an outcome."""
    with Peer(port) as peer:
        peer.send(record(HANDSHAKE, hello, version))
        answer = peer.next_record()
        if isinstance(answer, str) or answer[0] != HANDSHAKE or answer[1][0] != 2:
            return outcome(answer)
        body = answer[1][4:]
        session = body[34]
        return int.from_bytes(body[:2], "big"), int.from_bytes(body[35 + session:37 + session], "big"), body[2:34]
