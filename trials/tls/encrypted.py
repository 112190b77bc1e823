"""Clients that finish their handshake and break the protocol then, or break it where it is encrypted: by tlslite-ng."""
import contextlib
import os
import socket

from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey
from tlslite.constants import AlertDescription, ContentType, HandshakeType, KeyUpdateMessageType
from tlslite.errors import TLSAbruptCloseError, TLSRemoteAlert
from tlslite.messages import ClientHello, Message

REQUEST = b"GET / HTTP/1.1\r\nHost: tls.trial.test\r\n\r\n"


class Wire:
    """A socket that may change what is sent."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.change = None

    def send(self, data):
        self.socket.sendall(self.change(bytes(data)) if self.change else data)
        return len(data)

    sendall = send

    def recv(self, count):
        return self.socket.recv(count)

    def __getattr__(self, name):
        return getattr(self.socket, name)


def settings(version, ciphers=(), etm=False, groups=None):
    chosen = HandshakeSettings()
    chosen.minVersion = chosen.maxVersion = version
    chosen.useEncryptThenMAC = etm
    if ciphers:
        chosen.cipherNames = list(ciphers)
    if groups:
        chosen.eccCurves = groups
        chosen.keyShares = groups[:1]
    return chosen


@contextlib.contextmanager
def connected(port, chosen, pair=None):
    wire = Wire(port)
    try:
        connection = TLSConnection(wire)
        connection.ignoreAbruptClose = False
        chain, key = pair or (None, None)
        connection.handshakeClientCert(chain, key, settings=chosen, serverName="tls.trial.test")
        yield connection, wire
    finally:
        wire.close()


def send(connection, kind, content):
    for _ in connection._sendMsg(Message(kind, bytearray(content)), randomizeFirstBlock=False):
        pass


def heard(body):
    """What comes of something: its own words, the name of an alert, or how the stream ends."""
    try:
        return body()
    except TLSRemoteAlert as alert:
        return AlertDescription.toStr(alert.description)
    except TLSAbruptCloseError:
        return "end"
    except (ConnectionResetError, BrokenPipeError):
        return "reset"
    except TimeoutError:
        return "silence"


def said(connection):
    """What comes next: data, the name of an alert, or how the stream ends."""
    return heard(lambda: "data" if connection.read(max=4096, min=1) else "end")


def after_handshake(port, chosen, act):
    """What is said to something that is done once data has gone to and fro."""
    def go():
        with connected(port, chosen) as (connection, wire):
            connection.write(REQUEST)
            first = said(connection)
            if first != "data":
                return f"no answer but {first}"
            act(connection, wire)
            return said(connection)
    return heard(go)


def flipped(at, bits=0x01):
    """A change of one byte of the next record, counted from its payload's start, or its end where `at` is negative."""
    def change(data):
        changed = bytearray(data)
        changed[5 + at if at >= 0 else at] ^= bits
        return bytes(changed)
    return change


def tampered(at, bits=0x01):
    def act(connection, wire):
        wire.change = flipped(at, bits)
        connection.write(REQUEST)
    return act


def twice(connection, wire):
    wire.change = lambda data: data + data
    connection.write(b"GET / HTTP/1.1\r\n")


def cut(count):
    def act(connection, wire):
        wire.change = lambda data: data[:3] + count.to_bytes(2, "big") + data[5:5 + count]
        connection.write(REQUEST)
    return act


def in_clear(kind, content):
    return lambda connection, wire: wire.sendall(bytes([kind, 3, 3]) + len(content).to_bytes(2, "big") + content)


def message(kind, content):
    return lambda connection, wire: send(connection, kind, content)


def too_long(connection, wire):
    connection._recordLayer.recv_record_limit = connection._recordLayer.send_record_limit = 1 << 15
    # The layer above would cut it.
    for _ in connection._recordLayer.sendRecord(Message(ContentType.application_data, bytearray(2 ** 14 + 1))):
        pass


def renegotiate(connection, wire):
    hello = ClientHello().create((3, 3), bytearray(os.urandom(32)), bytearray(), [0xc02f, 0x00ff], extensions=[])
    send(connection, ContentType.handshake, hello.write())


def padded(change):
    """A record of CBC whose padding is changed before encryption."""
    def act(connection, wire):
        layer = connection._recordLayer
        whole = layer.addPadding

        def changed(data):
            result = whole(data)
            change(result)
            return result
        layer.addPadding = changed
        try:
            connection.write(REQUEST)
        finally:
            layer.addPadding = whole
    return act


def empty_records(connection, wire):
    for _ in range(40):
        send(connection, ContentType.handshake, b"")


def no_data(connection, wire):
    for _ in range(20):
        send(connection, ContentType.application_data, b"")
    connection.write(REQUEST)


def change_keys(connection, wire):
    for _ in connection.send_keyupdate_request(KeyUpdateMessageType.update_requested):
        pass
    connection.write(REQUEST)


def _set(data, at, value):
    data[at] = value


CBC = settings((3, 3), ["aes128"])
GCM = settings((3, 3), ["aes128gcm"])
NEW = settings((3, 4))
# OpenSSL 3.0 calls a record that is too short for its tag an internal error.
UNSEALED = {"bad_record_mac", "decode_error", "unexpected_message", "internal_error"}
# One answer to all that is wrong within a record of CBC, or it could be decrypted byte by byte (Vaudenay, POODLE, Lucky 13).
UNREADABLE = {
    "the first block": tampered(0), "the middle": tampered(40), "the last block": tampered(-20), "the last byte": tampered(-1),
    "a padding of 255": padded(lambda data: _set(data, -1, 255)), "a padding of 0 where there is more": padded(lambda data: _set(data, -1, 0)),
    "a byte of the padding": padded(lambda data: _set(data, -2, data[-2] ^ 0x40)), "one block": cut(16), "two blocks": cut(32),
    "no whole block": cut(37),
}


def checks(ports):
    """(what, listener's port, settings, act, right answers)."""
    for what, act in UNREADABLE.items():
        yield f"CBC: {what}", ports["legacy"], CBC, act, {"bad_record_mac"}
    for what, chosen in (("TLS 1.2", GCM), ("TLS 1.3", NEW)):
        for part, act in (("a byte of the data", tampered(9)), ("the tag", tampered(-1)), ("the same record twice", twice),
                          ("a record of 4 bytes", cut(4))):
            yield f"{what}: {part}", ports["rsa"], chosen, act, UNSEALED - {"unexpected_message"}
        yield f"{what}: a record longer than 2^14", ports["rsa"], chosen, too_long, {"record_overflow"}
        yield f"{what}: an unknown type", ports["rsa"], chosen, message(99, b"x"), {"unexpected_message"}
        yield f"{what}: an alert of one byte", ports["rsa"], chosen, message(ContentType.alert, b"\x01"), {"decode_error", "unexpected_message"}
        yield f"{what}: an alert in clear", ports["rsa"], chosen, in_clear(ContentType.alert, b"\x02\x28"), UNSEALED
        yield f"{what}: change_cipher_spec", ports["rsa"], chosen, in_clear(ContentType.change_cipher_spec, b"\x01"), UNSEALED
        yield f"{what}: a server's message", ports["rsa"], chosen, message(
            ContentType.handshake, bytes([HandshakeType.server_hello]) + b"\x00\x00\x00"), {"unexpected_message"}
        # With TLS 1.2 OpenSSL passes 32 of them over.
        yield f"{what}: empty records of a handshake", ports["rsa"], chosen, empty_records, {"unexpected_message", "reset"}
    yield "TLS 1.2: renegotiation", ports["rsa"], GCM, renegotiate, {"no_renegotiation"}
    yield "TLS 1.3: a second hello", ports["rsa"], NEW, renegotiate, {"unexpected_message"}
    for what, content in (("of 2", b"\x02"), ("of two bytes", b"\x00\x00"), ("of none", b"")):
        yield f"TLS 1.3: a change of keys {what}", ports["rsa"], NEW, message(
            ContentType.handshake, bytes([24]) + len(content).to_bytes(3, "big") + content), {"illegal_parameter", "decode_error"}
    yield "TLS 1.3: a request for a certificate", ports["rsa"], NEW, message(
        ContentType.handshake, bytes([13, 0, 0, 3, 0, 0, 0])), {"unexpected_message"}


def _alert_of(port, chosen, pair=None):
    """How a handshake with a certificate goes; with TLS 1.3 the refusal comes after our side is done."""
    def go():
        with connected(port, chosen, pair) as (connection, _):
            connection.write(REQUEST)
            return said(connection)
    return heard(go)


def _loaded(pair):
    chain = X509CertChain()
    chain.parsePemList(pair.certificate.read_text())
    return chain, parsePEMKey(pair.key.read_text(), private=True)


class _Forger:
    """A key whose signatures are of something else."""

    def __init__(self, key):
        self._key = key

    def __getattr__(self, name):
        return getattr(self._key, name)

    def _forge(self, data, *arguments, **named):
        return self._key.sign(bytearray(len(data)), *arguments, **named)

    sign = _forge

    def hashAndSign(self, data, *arguments, **named):
        return self._key.hashAndSign(bytearray(b"something else"), *arguments, **named)

    def verify(self, *_, **__):
        return True


def clients(served):
    """(what, answer, right ones) of clients with and without certificates."""
    port = served.ports["mutual"]
    known, stranger = _loaded(served.client), _loaded(served.pairs["ecdsa"])
    forged = (known[0], _Forger(known[1]))
    rejected = {"unknown_ca", "bad_certificate", "unsupported_certificate", "certificate_unknown"}
    for what, chosen in (("TLS 1.2", settings((3, 3))), ("TLS 1.3", NEW)):
        yield f"{what}: a client with a certificate", _alert_of(port, chosen, known), {"data"}
        yield f"{what}: a client without", _alert_of(port, chosen), {"handshake_failure", "certificate_required"}
        yield f"{what}: a server's certificate", _alert_of(port, chosen, stranger), rejected
        yield f"{what}: a signature of something else", _alert_of(port, chosen, forged), {"decrypt_error", "bad_signature"}


def check(served):
    """[(what, problem or None, words)]."""
    results = []

    def judge(what, answer, right):
        results.append((what, None if answer in right else f"answered {answer}; right is {' or '.join(sorted(right))}", answer))

    for what, port, chosen, act, right in checks(served.ports):
        judge(what, after_handshake(port, chosen, act), right)
    # What a broken client must not spoil: records of no data, and changes of keys.
    for what, act in (("records of no data", no_data), ("a change of keys", change_keys)):
        judge(f"TLS 1.3: {what}, and on", after_handshake(served.ports["rsa"], NEW, act), {"data"})
    for what, answer, right in clients(served):
        judge(what, answer, right)
    return results
