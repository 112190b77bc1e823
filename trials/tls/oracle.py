"""Whether a server's answers tell what was wrong inside of what was encrypted: RSA key exchange with bad padding (Bleichenbacher). Only a
listener that was told to has such suites at all."""
import os
import re
import subprocess

from . import wire


def public_key(certificate):
    said = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-modulus", "-text"], check=True, capture_output=True,
                          text=True).stdout
    return int(re.search(r"Modulus=([0-9A-F]+)", said)[1], 16), int(re.search(r"Exponent: (\d+)", said)[1])


def paddings(size):
    """Premaster secrets before encryption, by what is wrong with each."""
    def filler(count):
        return bytes(byte or 1 for byte in os.urandom(count))
    secret = b"\x03\x03" + os.urandom(46)
    fill = size - 3 - len(secret)
    return {
        "nothing, but the finished message": b"\x00\x02" + filler(fill) + b"\x00" + secret,
        "the first byte": b"\x01\x02" + filler(fill) + b"\x00" + secret,
        "the type": b"\x00\x01" + filler(fill) + b"\x00" + secret,
        "no zero": b"\x00\x02" + filler(size - 2),
        "a zero among the first eight": b"\x00\x02" + filler(3) + b"\x00" + filler(fill - 4) + b"\x00" + secret,
        "a secret of 47 bytes": b"\x00\x02" + filler(fill + 1) + b"\x00" + secret[1:],
        "a secret of 49 bytes": b"\x00\x02" + filler(fill - 1) + b"\x00" + secret + b"x",
        "no secret": b"\x00\x02" + filler(size - 3) + b"\x00",
        "the version": b"\x00\x02" + filler(fill) + b"\x00" + b"\x02\x02" + secret[2:],
    }


def ask(port, encrypted):
    with wire.Peer(port) as peer:
        peer.send(wire.record(wire.HANDSHAKE, wire.client_hello(wire.EXTENSIONS_12, (0x002f,))))
        _, end = peer.messages()
        if end != "done":
            return f"no key exchange but {wire.outcome(end)}"
        peer.send(wire.record(wire.HANDSHAKE, wire.message(16, wire.vector(2, encrypted)), 0x0303)
                  + wire.record(wire.CHANGE_CIPHER_SPEC, b"\x01", 0x0303)
                  + wire.record(wire.HANDSHAKE, os.urandom(64), 0x0303))
        answers = [wire.outcome(peer.next_record()), wire.outcome(peer.next_record())]
        return " then ".join(answers)


def check(served):
    modulus, exponent = public_key(served.pairs["rsa"].certificate)
    size = (modulus.bit_length() + 7) // 8
    answers = {}
    for what, plain in paddings(size).items():
        encrypted = pow(int.from_bytes(plain, "big"), exponent, modulus).to_bytes(size, "big")
        answers.setdefault(ask(served.ports["legacy"], encrypted), []).append(what)
    problem = None
    if len(answers) != 1:
        problem = f"the answers differ: {answers}"
    elif not next(iter(answers)).startswith("bad_record_mac"):
        problem = f"answered {next(iter(answers))}"
    refused = ask(served.ports["rsa"], bytes(size))
    return [(f"RSA key exchange, {len(paddings(size))} ways to be wrong", problem, "; ".join(answers)),
            ("RSA key exchange where nobody asked for it",
             None if refused == "no key exchange but handshake_failure" else refused, refused)]
