"""The attacks: what is said where, by how many, and by what reason the gateway may count their ends."""
import dataclasses

from .network import MANY

# The gateway's limit of connections during the trial, and how many of them a crowd may hold beside the clients that behave.
LIMIT = 4000
CROWD = 2000
MEBIBYTE = 1 << 20
# What a connection may take that has not begun its handshake; that is in it; whose backend sends what nobody reads (a block
# that is held; beyond that --buffer-memory holds), and what the process may take besides.
BEFORE, HANDSHAKING, HELD, BESIDES = 4 << 10, 96 << 10, 80 << 10, 24 * MEBIBYTE

_LEFT = ("client_closed", "client_reset")


@dataclasses.dataclass(frozen=True)
class Attack:
    name: str
    service: str
    said: str
    reasons: tuple          # any of them; what else is counted is a failure
    at_once: int = CROWD
    flags: tuple = ()
    each: int = BEFORE      # bytes of memory that one of them may take
    attack: str = ""        # the attacker's name for it, where it is another

    @property
    def command(self):
        return [self.attack or self.name, "--at-once", self.at_once, *self.flags]

    @property
    def bound(self):
        """Bytes by which memory may grow."""
        return BESIDES + self.each * self.at_once


def attacks():
    half_open = ("tls_handshake_timeout", *_LEFT)
    broken = ("tls_error", "tls_truncated", *_LEFT)
    return [
        Attack("silent", "impatient", "connect and say nothing", ("inspection_timeout", *_LEFT)),
        Attack("half-header", "proxy", "12 bytes of a PROXY header", ("proxy_protocol_timeout", *_LEFT)),
        Attack("half-request", "postgres", "4 bytes of a request for TLS", ("inspection_timeout", *_LEFT)),
        Attack("requested-half-hello", "postgres", "a request for TLS, half a ClientHello", ("inspection_timeout", *_LEFT)),
        Attack("half-hello", "impatient", "half a ClientHello", ("inspection_timeout", *_LEFT)),
        Attack("byte-by-byte", "impatient", "a ClientHello, one byte every 100 ms", ("inspection_timeout", *half_open), at_once=500,
               each=HANDSHAKING),
        Attack("half-handshake", "impatient", "a ClientHello, and never an answer to what comes", half_open, each=HANDSHAKING),
        Attack("half-handshake-12", "impatient", "the same with TLS 1.2", half_open, each=HANDSHAKING),
        Attack("half-handshake-unread", "impatient", "the same, and nothing is read", half_open, each=HANDSHAKING),
        Attack("handshake-flood", "tls", "ClientHellos as fast as they are answered, then RST", (*broken, *half_open),
               at_once=64, each=HANDSHAKING),
        Attack("ticket-flood", "tls", "the same with 4,000 bytes of a ticket that nobody sealed", (*broken, *half_open),
               at_once=64, each=HANDSHAKING),
        Attack("renegotiation", "tls", "requests to negotiate anew, 20,000 in a row", broken, at_once=4, each=HANDSHAKING),
        Attack("key-updates", "tls", "key updates, 20,000 in a row", broken, at_once=4, each=HANDSHAKING),
        Attack("key-updates-and-bytes", "tls", "a key update, a byte, 20,000 times", broken, at_once=4, each=HANDSHAKING),
        Attack("empty-records", "tls", "records without a byte, 20,000 in a row", broken, at_once=4, each=HANDSHAKING),
        Attack("tiny-records", "tls", "records of one byte, without end", broken, at_once=4, each=HANDSHAKING),
        Attack("alerts-12", "tls", "warnings, 20,000 in a row", broken, at_once=4, each=HANDSHAKING),
        Attack("early-data", "tls", "a hello with 16 KiB of early data", (*broken, *half_open, "not_tls"), at_once=64,
               each=HANDSHAKING),
        Attack("oversized-hello", "tls", "a ClientHello of 40 KB", ("client_hello_too_large", *_LEFT), at_once=64, each=64 << 10),
        Attack("oversized-name", "tls", "a server name of 12,000 bytes", ("not_tls", "tls_no_sni_match", *_LEFT), at_once=64,
               each=64 << 10),
        Attack("oversized-header", "proxy", "a PROXY header with 60 KB of TLVs", ("proxy_protocol_malformed", *_LEFT),
               at_once=64, each=64 << 10),
        Attack("oversized-start", "postgres", "a start packet that says 1 GiB", ("starttls_error", *_LEFT), at_once=64,
               each=64 << 10),
        Attack("long-chain", "mutual", "a client certificate with a chain of 200 KB", broken, at_once=1, each=MEBIBYTE),
        Attack("connect-close", "tls", "connections from one source, closed at once", ("inspection_timeout", *_LEFT), at_once=64),
        Attack("connect-reset", "tcp", "RSTs behind the handshake of TCP", (*_LEFT, "connect_refused"), at_once=64),
        Attack("say-reset", "tcp", "RSTs behind the first answer", _LEFT, at_once=64),
        Attack("many-sources", "tls", "the same from 20,000 sources, to TLS", ("inspection_timeout", *_LEFT), at_once=64,
               attack="connect-reset", flags=("--sources", MANY, "--source-count", 20_000)),
        Attack("never-read", "bulk", "clients of a bulk backend that never read", _LEFT, at_once=1000, each=HELD),
        Attack("syn-flood", "tls", "SYNs from addresses that do not answer", _LEFT, at_once=1),
    ]


def at_the_limit():
    """Everything that the gateway takes is held half-open, and each place that is given up is taken again."""
    return Attack("limit", "impatient", f"{LIMIT:,} half-open handshakes: all that the gateway takes", (
        "tls_handshake_timeout", "inspection_timeout", "overload", *_LEFT), at_once=2 * LIMIT, each=HANDSHAKING,
        attack="half-handshake")
