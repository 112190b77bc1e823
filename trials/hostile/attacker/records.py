"""TLS sessions whose records are made by hand: what no library would send, as fast as a socket takes it.

The handshake is OpenSSL's (Python's ssl); from the secrets that it tells, records are sealed here, so that thousands can be
made ready before the first is sent.
"""
import hmac
import socket
import ssl
import struct
import tempfile

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ALERT, HANDSHAKE, DATA = 21, 22, 23
KEY_UPDATE_REQUESTED = b"\x18\x00\x00\x01\x01"
KEY_UPDATE = b"\x18\x00\x00\x01\x00"


def client_context(version, folder):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256")
    context.keylog_filename = folder
    return context


class Session:
    """A TLS session with the gateway, through whose socket records of any sort can be sent."""

    def __init__(self, address, name, version):
        with tempfile.NamedTemporaryFile("r", suffix=".keys") as keys:
            context = client_context(version, keys.name)
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
            self.socket = socket.create_connection(address, timeout=20)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._hello = b""
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    self.socket.sendall(outgoing.read())
                    piece = self.socket.recv(65536)
                    if not piece:
                        raise ConnectionResetError("the gateway ended the handshake") from None
                    self._hello += piece if len(self._hello) < 4096 else b""
                    incoming.write(piece)
            self.socket.sendall(outgoing.read())
            secrets = dict((line.split()[0], line.split()[1:]) for line in keys.read().splitlines() if line[0] != "#")
        self.version, self.suite = tls.version(), tls.cipher()[0]
        if self.version == "TLSv1.3":
            self._digest = "sha384" if "SHA384" in self.suite else "sha256"
            self._key_length = 32 if "AES_256" in self.suite else 16
            self._secret = bytes.fromhex(secrets["CLIENT_TRAFFIC_SECRET_0"][1])
            self._use_secret()
        else:
            self._start_12(*(bytes.fromhex(part) for part in secrets["CLIENT_RANDOM"]))

    # TLS 1.3 (RFC 8446, 7.1 and 7.3)

    def _expand(self, label, length):
        full = b"tls13 " + label
        info = struct.pack("!HB", length, len(full)) + full + b"\0"
        return hmac.new(self._secret, info + b"\1", self._digest).digest()[:length]

    def _use_secret(self):
        self._cipher = AESGCM(self._expand(b"key", self._key_length))
        self._iv = int.from_bytes(self._expand(b"iv", 12))
        self._sequence = 0

    def _update_secret(self):
        self._secret = self._expand(b"traffic upd", len(self._secret))
        self._use_secret()

    # TLS 1.2 (RFC 5246, 5 and 6.3; RFC 5288)

    def _start_12(self, client_random, master):
        server_random = self._hello[11:43]
        seed, block = b"key expansion" + server_random + client_random, b""
        step = seed
        while len(block) < 40:
            step = hmac.new(master, step, "sha256").digest()
            block += hmac.new(master, step + seed, "sha256").digest()
        self._cipher, self._salt = AESGCM(block[:16]), block[32:36]
        self._sequence = 1  # the Finished was 0

    def record(self, kind, content):
        """A sealed record with this content, which may be empty. The next one goes behind it."""
        if self.version == "TLSv1.3":
            header = struct.pack("!BHH", DATA, 0x303, len(content) + 17)
            nonce = (self._iv ^ self._sequence).to_bytes(12)
            self._sequence += 1
            return header + self._cipher.encrypt(nonce, content + bytes([kind]), header)
        explicit = struct.pack("!Q", self._sequence)
        about = explicit + struct.pack("!BHH", kind, 0x303, len(content))
        self._sequence += 1
        sealed = self._cipher.encrypt(self._salt + explicit, content, about)
        return struct.pack("!BHH", kind, 0x303, 8 + len(sealed)) + explicit + sealed

    def key_update(self, asks=False):
        """The message, and new keys for whatever follows it."""
        record = self.record(HANDSHAKE, KEY_UPDATE_REQUESTED if asks else KEY_UPDATE)
        self._update_secret()
        return record
