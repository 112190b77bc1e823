"""Hellos that break the protocol, and what may be answered. What cannot be read as a hello is reset, and no alert wasted on it: whoever
sends such is no client (docs/architecture.md, "Refusing says so")."""
import os
import struct

from . import wire
from .wire import HANDSHAKE, EXTENSIONS_12, SUITES_12, SUITES_13, client_hello, extension, extensions_13, key_share, record, reply

REFUSED = {"reset", "decode_error", "illegal_parameter", "unexpected_message", "record_overflow", "protocol_version"}
GREASE = 0x5a5a


def hello_12(**changes):
    return record(HANDSHAKE, client_hello(changes.pop("extensions", EXTENSIONS_12), **changes))


def hello_13(**changes):
    inner = {name: changes.pop(name) for name in ("shares", "groups", "versions", "more") if name in changes}
    return record(HANDSHAKE, client_hello(extensions_13(**inner), changes.pop("suites", SUITES_13), **changes))


def fragments(hello, size):
    content = hello[5:]
    return b"".join(record(HANDSHAKE, content[at:at + size]) for at in range(0, len(content), size))


def point_off_the_curve():
    return b"\x04" + os.urandom(64)


def checks():
    """(name, parts that are sent, answers that are right)."""
    good = client_hello(EXTENSIONS_12)
    duplicate = [*EXTENSIONS_12, extension(23, b"")]
    name = extension(0, wire.vector(2, b"\x00" + wire.vector(2, b"tls.trial.test")))
    yield "a hello of TLS 1.2", [hello_12()], {"server_hello"}
    yield "a hello of TLS 1.3", [hello_13()], {"server_hello"}
    # Records.
    yield "an unknown type of record", [record(99, good)], REFUSED
    yield "application data first", [record(wire.APPLICATION_DATA, b"hello")], REFUSED
    yield "an alert first", [record(wire.ALERT, b"\x01\x00")], REFUSED | {"end"}
    yield "change_cipher_spec first", [record(wire.CHANGE_CIPHER_SPEC, b"\x01"), hello_12()], REFUSED
    yield "an empty record first", [record(HANDSHAKE, b""), hello_12()], REFUSED
    yield "a record longer than 2^14", [record(HANDSHAKE, b"\x01\x00\x50\x00" + bytes(20000), length=20004)], REFUSED
    yield "a record of another protocol version", [record(HANDSHAKE, good, version=0x0203)], REFUSED
    yield "a hello of SSL 2", [b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + os.urandom(37)], REFUSED
    yield "records of one byte", [fragments(hello_12(), 1)], {"server_hello"}
    yield "records of seven bytes, TLS 1.3", [fragments(hello_13(), 7)], {"server_hello"}
    yield "change_cipher_spec between fragments", [record(HANDSHAKE, good[:40]), record(wire.CHANGE_CIPHER_SPEC, b"\x01"),
                                                   record(HANDSHAKE, good[40:])], REFUSED
    # The message.
    yield "a server_hello", [record(HANDSHAKE, wire.message(2, good[4:]))], REFUSED
    yield "a hello_request", [record(HANDSHAKE, wire.message(0, b""))], REFUSED
    yield "a hello that says it is longer", [record(HANDSHAKE, wire.message(1, good[4:], length=0x20000))], REFUSED
    yield "a session identifier of 33 bytes", [hello_12(session=os.urandom(33))], REFUSED
    yield "a session identifier longer than the hello", [hello_12(session=b"x", session_length=255)], REFUSED
    yield "no suite", [hello_12(suites=())], REFUSED | {"handshake_failure"}
    yield "half a suite", [record(HANDSHAKE, wire.message(1, b"\x03\x03" + bytes(33) + b"\x00\x03\xc0\x2b\xc0" + b"\x01\x00"))], REFUSED
    yield "suites that nobody knows", [hello_12(suites=(0x00ff, 0xfefe))], {"handshake_failure"}
    yield "no compression method", [hello_12(compression=b"")], REFUSED
    yield "compression alone", [hello_12(compression=b"\x01")], REFUSED
    yield "compression in TLS 1.3", [hello_13(compression=b"\x01\x00")], {"illegal_parameter"}
    yield "bytes behind the extensions", [hello_12(tail=b"\x00")], REFUSED
    yield "an extension longer than the rest", [hello_12(extensions=[*EXTENSIONS_12, b"\x00\x23\x00\x50"])], REFUSED
    yield "an extension twice", [hello_12(extensions=duplicate)], REFUSED
    yield "the server name twice", [hello_12(extensions=[name, name, *EXTENSIONS_12])], REFUSED
    yield "a server name of no bytes", [hello_12(extensions=[extension(0, b"\x00\x03\x00\x00\x00"), *EXTENSIONS_12])], REFUSED
    yield "a server name with a zero in it", [hello_12(extensions=[
        extension(0, wire.vector(2, b"\x00" + wire.vector(2, b"tls\x00test"))), *EXTENSIONS_12])], REFUSED | {"unrecognized_name"}
    yield "a list of groups of odd length", [hello_12(extensions=[
        extension(10, b"\x00\x03\x00\x1d\x00"), *EXTENSIONS_12[1:]])], REFUSED
    # What is unknown is passed over (RFC 8701).
    grease = [extension(GREASE, b""), extension(0xfafa, b"\x00")]
    yield "GREASE everywhere, TLS 1.2", [hello_12(suites=(GREASE, *SUITES_12), extensions=[*grease, *EXTENSIONS_12])], {"server_hello"}
    yield "GREASE everywhere, TLS 1.3", [hello_13(
        suites=(GREASE, *SUITES_13), groups=(GREASE, wire.X25519), versions=(GREASE, 0x0304), more=grease,
        shares=[(GREASE, b"\x00"), (wire.X25519, os.urandom(32))])], {"server_hello"}
    yield "200 unknown extensions", [hello_13(more=[extension(0x6000 + at, bytes(20)) for at in range(200)])], {"server_hello"}
    # Versions.
    yield "versions, none of them ours", [hello_13(versions=(0x0302, 0x7f1c))], {"protocol_version"}
    yield "TLS 1.1", [hello_12(version=0x0302)], {"protocol_version"}
    yield "a version yet to come", [hello_12(version=0x0399)], {"server_hello"}
    yield "a fallback to TLS 1.2", [hello_12(suites=(*SUITES_12, 0x5600))], {"inappropriate_fallback"}
    # Key shares of TLS 1.3 (RFC 8446 §4.2.8).
    yield "a share of 31 bytes", [hello_13(shares=[(wire.X25519, bytes(31))])], {"illegal_parameter", "decode_error"}
    yield "a share that gives a secret of zeros", [hello_13(shares=[(wire.X25519, bytes(32))])], {"illegal_parameter", "internal_error"}
    yield "a point that is not on the curve", [hello_13(shares=[(wire.P256, point_off_the_curve())], groups=(wire.P256,))], {
        "illegal_parameter", "decode_error"}
    yield "a share of no bytes", [hello_13(shares=[(wire.X25519, b"")])], {"illegal_parameter", "decode_error"}
    yield "two shares of a group", [hello_13(shares=[(wire.P256, bytes(65)), (wire.P256, bytes(65))], groups=(wire.P256,))], {
        "illegal_parameter", "decode_error"}
    yield "a share of a group that was not named", [hello_13(groups=(wire.P384,))], {"illegal_parameter", "hello_retry"}
    yield "no share", [hello_13(shares=[])], {"hello_retry"}
    yield "no group in common", [hello_13(shares=[], groups=(0x0100,))], {"handshake_failure"}
    missing = [each for each in extensions_13() if each[:2] != b"\x00\x0d"]
    yield "TLS 1.3 without signature algorithms", [record(HANDSHAKE, client_hello(missing, SUITES_13))], {"missing_extension"}
    missing = [each for each in extensions_13() if each[:2] not in (b"\x00\x0a", b"\x00\x33")]
    yield "TLS 1.3 without groups and shares", [record(HANDSHAKE, client_hello(missing, SUITES_13))], {"missing_extension"}
    # Sessions.
    modes, psk = extension(45, b"\x01\x01"), extension(41, wire.vector(2, wire.vector(2, os.urandom(40)) + bytes(4)) + wire.vector(
        2, wire.vector(1, bytes(32))))
    yield "a ticket that nobody sealed", [hello_13(more=[modes, psk])], {"server_hello"}
    yield "a ticket that is not the last extension", [record(HANDSHAKE, client_hello([modes, psk, *extensions_13()], SUITES_13))], REFUSED
    yield "early data, which is passed over", [hello_13(more=[extension(42, b""), modes, psk]),
                                               record(wire.APPLICATION_DATA, os.urandom(80), version=0x0303)], {"server_hello"}


def retries(port):
    """A second hello that differs, or asks to be retried again."""
    def ask(second):
        with wire.Peer(port) as peer:
            peer.send(hello_13(shares=[]))
            first = peer.next_record()
            if isinstance(first, str) or first[0] != HANDSHAKE:
                return f"no retry but {wire.outcome(first)}"
            peer.send(second)
            answer = peer.next_record()
            # For old middleboxes, with the retry.
            while isinstance(answer, tuple) and answer[0] == wire.CHANGE_CIPHER_SPEC:
                answer = peer.next_record()
            return wire.outcome(answer) if isinstance(answer, str) or answer[0] != HANDSHAKE else "server_hello"
    yield "the share that was asked for", ask(hello_13()), {"server_hello"}
    yield "still no share", ask(hello_13(shares=[])), {"illegal_parameter"}
    yield "the share of another group", ask(hello_13(shares=[(wire.P256, point_off_the_curve())])), {"illegal_parameter"}


def sentinel(port):
    """TLS 1.2 from a server that speaks TLS 1.3 says so in its random number (RFC 8446 §4.1.3)."""
    answer = wire.server_hello(port, client_hello(EXTENSIONS_12))
    return "said" if isinstance(answer, tuple) and answer[2][-8:] == b"DOWNGRD\x01" else f"not said: {answer}"


def exchanges(port):
    """What may come before the client's keys in TLS 1.2."""
    def ask(*parts):
        with wire.Peer(port) as peer:
            peer.send(hello_12(suites=(0xc02b, 0xc02f)))
            messages, end = peer.messages()
            if end != "done" or not any(kind == 14 for kind, _ in messages):
                return f"no server_hello_done but {wire.outcome(end)}"
            try:
                for part in parts:
                    peer.send(part)
            except OSError:
                return "reset"
            return wire.outcome(peer.next_record())
    ccs = record(wire.CHANGE_CIPHER_SPEC, b"\x01", 0x0303)
    finished = record(HANDSHAKE, os.urandom(40), 0x0303)
    yield "change_cipher_spec before the keys (CVE-2014-0224)", ask(ccs, finished), {"unexpected_message"}
    yield "application data in clear", ask(record(wire.APPLICATION_DATA, b"GET / HTTP/1.0\r\n\r\n", 0x0303)), {"unexpected_message"}
    yield "a second hello", ask(record(HANDSHAKE, client_hello(EXTENSIONS_12), 0x0303)), {"unexpected_message"}
    yield "finished without keys", ask(record(HANDSHAKE, wire.message(20, os.urandom(12)), 0x0303)), {"unexpected_message"}
    for what, point in (("of no bytes", b"\x00"), ("that is no point", wire.vector(1, b"\x04" + bytes(64))),
                        ("compressed", wire.vector(1, b"\x02" + os.urandom(32)))):
        exchange = record(HANDSHAKE, wire.message(16, point), 0x0303)
        yield f"a key {what}", ask(exchange, ccs, finished), {"illegal_parameter", "decode_error", "handshake_failure"}
    yield "a key message of two bytes too many", ask(record(HANDSHAKE, wire.message(16, wire.vector(1, os.urandom(32)) + b"xx"), 0x0303),
                                                    ccs, finished), {"decode_error", "illegal_parameter"}


def check(served):
    """[(what, problem or None, words)]."""
    port = served.ports["default"]
    results = []

    def judge(what, said, right):
        results.append((what, None if said in right else f"answered {said}; right is {' or '.join(sorted(right))}", said))

    for what, parts, right in checks():
        judge(what, reply(port, *parts), right)
    for what, said, right in [*retries(port), *exchanges(port)]:
        judge(what, said, right)
    judge("the mark against downgrades", sentinel(port), {"said"})
    judge("the gateway still serves", reply(port, hello_13()), {"server_hello"})
    return results
