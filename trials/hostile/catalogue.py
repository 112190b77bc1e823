"""The attacks: what is said where, by how many, and by what reason the gateway may count their ends."""
import dataclasses

from .network import MANY

# The gateway's limit of connections during the trial, and how many of them a crowd may hold beside the clients that behave.
LIMIT = 4000
CROWD = 2000
MEBIBYTE = 1 << 20
# What a connection may take that has not begun its handshake; that is in it; whose backend sends what nobody reads (one read, in
# blocks), and what the process may take besides.
BEFORE, HANDSHAKING, HELD, BESIDES = 4 << 10, 96 << 10, 257 << 10, 24 * MEBIBYTE
# What all that are not read may take: the default of --buffer-memory, behind seven eighths of which each holds a read of 16 KiB at most.
BUFFERS = 64 * MEBIBYTE

_LEFT = ("client_closed", "client_reset")
# New ones a second of a crowd that holds places, so that all of them are taken again within the time that one may be held.
_STEADY = 1000
# New ones a second of a crowd that would hold all of the gateway's places, each for the second that it may.
_EAGER = LIMIT
# Half-open handshakes in all, at the limit.
HALF_OPEN = 100_000
# Each takes a megabyte of the kernel's, which has all four ends here: more of them would reach net.ipv4.tcp_mem, the machine's.
UNREAD = 400
BOTH = "round_trip", "new"


# Not that of the clients that behave.
_ONE_SOURCE = "--sources", "127.7.", "--source-count", 1


@dataclasses.dataclass(frozen=True)
class Attack:
    name: str
    service: str
    said: str
    reasons: tuple          # any of them; what else is counted is a failure
    at_once: int = CROWD
    flags: tuple = ()
    each: int = BEFORE      # bytes of memory that one of them may take
    together: int = 0       # bytes that all of them may take; 0: as many as each may
    attack: str = ""        # the attacker's name for it, where it is another
    rate: int = 0           # new ones a second; 0: as fast as they get there
    in_all: int = 0         # 0: for as long as the round takes
    beside: str = "tls"     # where clients that behave connect to
    judged: tuple = BOTH    # what of theirs may not take longer than it should

    @property
    def command(self):
        return [self.attack or self.name, "--at-once", self.at_once, "--rate", self.rate, "--in-all", self.in_all,
                *_ONE_SOURCE, *self.flags]

    @property
    def bound(self):
        """Bytes by which memory may grow."""
        apart = self.each * self.at_once
        return BESIDES + min(apart, self.together or apart)


def attacks():
    return [*_half_open(), *_handshakes(), *_sessions(), *_oversized(), *_floods()]


def _half_open():
    """They hold places for as long as they may."""
    handshake = ("tls_handshake_timeout", *_LEFT)

    def hold(name, service, said, reasons, **more):
        return Attack(name, service, said, reasons, **{"rate": _STEADY, **more})

    return [
        hold("silent", "impatient", "connect and say nothing", ("inspection_timeout", *_LEFT)),
        hold("half-header", "proxy", "12 bytes of a PROXY header", ("proxy_protocol_timeout", *_LEFT)),
        hold("half-request", "postgres", "4 bytes of a request for TLS", ("inspection_timeout", *_LEFT)),
        hold("requested-half-hello", "postgres", "a request for TLS, half a ClientHello", ("inspection_timeout", *_LEFT)),
        hold("half-hello", "impatient", "half a ClientHello", ("inspection_timeout", *_LEFT)),
        hold("byte-by-byte", "impatient", "a ClientHello, one byte every 100 ms", ("inspection_timeout", *handshake),
             at_once=500, rate=_STEADY // 4, each=HANDSHAKING),
        hold("half-handshake", "impatient", "a ClientHello, and never an answer to what comes", handshake, each=HANDSHAKING),
        hold("half-handshake-12", "impatient", "the same with TLS 1.2", handshake, each=HANDSHAKING),
        hold("half-handshake-unread", "impatient", "the same, and nothing is read", handshake, each=HANDSHAKING),
    ]


def _handshakes():
    """They have the gateway compute, as fast as it can."""
    ends = ("tls_error", "tls_truncated", "tls_handshake_timeout", "rate_limited", *_LEFT)

    def flood(name, service, said, **more):
        return Attack(name, service, said, ends, at_once=64, each=HANDSHAKING, beside=service, **more)

    kinds = [("handshake-flood", "ClientHellos as fast as they are answered, then RST"),
             ("ticket-flood", "the same with 4,000 bytes of a ticket that nobody sealed"),
             ("early-data", "a hello with 16 KiB of early data")]
    return [*(flood(name, "tls", said) for name, said in kinds),
            *(flood(f"{name}-limited", "guarded", f"{name}, connectionRateLimit.perSourceIP", attack=name)
              for name, said in kinds),
            flood("compression", "tls", "a hello that offers compression")]


def _sessions():
    """Inside sessions, records that were made ready before."""
    ends = ("tls_error", "tls_truncated", *_LEFT)

    def flood(name, said):
        return Attack(name, "impatient", said, ends, at_once=4, each=HANDSHAKING)

    return [
        flood("renegotiation", "requests to negotiate anew, 20,000 in a row"),
        flood("key-updates", "key updates, 20,000 in a row"),
        flood("key-updates-and-bytes", "a key update, a byte, 20,000 times"),
        flood("empty-records", "records without a byte, 20,000 in a row"),
        flood("tiny-records", "records of one byte, without end"),
        flood("alerts-12", "warnings, 20,000 in a row"),
    ]


def _oversized():
    def crowd(name, service, said, *reasons):
        return Attack(name, service, said, (*reasons, *_LEFT), at_once=64, each=64 << 10)

    return [
        crowd("oversized-hello", "tls", "a ClientHello of 40 KB", "client_hello_too_large"),
        crowd("oversized-name", "tls", "a server name of 12,000 bytes", "not_tls", "tls_no_sni_match"),
        crowd("oversized-header", "proxy", "a PROXY header with 60 KB of TLVs", "proxy_protocol_malformed"),
        crowd("oversized-start", "postgres", "a start packet that says 1 GiB", "starttls_error"),
        Attack("long-chain", "mutual", "a client certificate with a chain of 200 KB", ("tls_error", "tls_truncated", *_LEFT),
               at_once=1, each=MEBIBYTE),
    ]


def _floods():
    return [
        Attack("connect-close", "tls", "connections from one source, closed at once", ("inspection_timeout", *_LEFT), at_once=64),
        Attack("connect-reset", "tcp", "RSTs behind the handshake of TCP", (*_LEFT, "connect_refused"), at_once=64),
        Attack("say-reset", "tcp", "RSTs behind the first answer", _LEFT, at_once=64),
        Attack("many-sources", "tls", "the same from 20,000 sources, to TLS", ("inspection_timeout", *_LEFT), at_once=64,
               attack="connect-reset", flags=("--sources", MANY, "--source-count", 20_000)),
        Attack("never-read", "bulk", "clients of a bulk backend that never read", _LEFT, at_once=UNREAD, rate=_STEADY, each=HELD,
               together=BUFFERS),
        Attack("syn-flood", "tls", "SYNs from addresses that do not answer", _LEFT, at_once=1),
    ]


def at_the_limit():
    """As many half-open handshakes as the gateway takes connections, and as many who wait to take the places that are given up.
    Where nobody bounds what one source may hold, newcomers wait in the kernel's queues, as everybody does."""
    crowd = Attack("limit", "impatient", f"{LIMIT:,} half-open handshakes, all that the gateway takes, {HALF_OPEN:,} in all", (
        "tls_handshake_timeout", "inspection_timeout", "overload", *_LEFT), at_once=2 * LIMIT, in_all=HALF_OPEN,
        each=HANDSHAKING, attack="half-handshake", judged=("round_trip",))
    bounded = dataclasses.replace(
        crowd, service="bounded", beside="bounded", judged=BOTH, rate=_EAGER, in_all=0,
        reasons=(*crowd.reasons, "source_connection_limit"))
    return (
        crowd,
        dataclasses.replace(bounded, name="limit-bounded", said="the same crowd, connectionLimit.perSourceIP"),
        dataclasses.replace(bounded, name="limit-silent", attack="silent", said="as many who say nothing, connectionLimit.perSourceIP"))
