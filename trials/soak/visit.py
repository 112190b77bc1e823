"""One connection of a client: how it gets through the gateway, and what comes of it."""
import hashlib
import itertools
import random
import ssl
import time

from ..common.pattern import LONGEST, matches, pattern
from ..common.proxy import header
from ..common.stream import Broken, connect, socket_from
from .wish import GREETING_SIZE, RECEIPT_SIZE, Act, Wish, read_greeting, receipt

SSL_REQUEST = bytes.fromhex("0000000804d2162f")
# What a header of the PROXY protocol claims.
CLAIMED = "203.0.113.7"


class Wrong(Exception):
    """What came is not what was sent, or not from where it should."""


class World:
    """What every visit needs to know: ports by listener and the admin address's, certificates, and whether the load is to end."""

    def __init__(self, ports, admin, authority, known, foreign):
        self.ports, self.admin = ports, admin
        self.stopping = False
        self._addresses = itertools.count(random.randrange(1 << 20))
        self.trusting = _context(authority)
        self._older = _context(authority)
        self._older.maximum_version = ssl.TLSVersion.TLSv1_2
        self.known = _context(authority, known)
        self.foreign = _context(authority, foreign)
        self.distrusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # knows no authority at all
        self.ticket = None

    def any_version(self):
        """Now and then TLS 1.2."""
        return self._older if random.random() < 0.25 else self.trusting

    def address(self):
        """An address of its own for each connection, so that each line of the log can be told."""
        number = next(self._addresses) % (1 << 20)
        return f"127.{16 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def _context(authority, pair=None):
    context = ssl.create_default_context(cafile=authority)
    if pair:
        context.load_cert_chain(*pair)
    return context


class Visit:
    def __init__(self, scenario, world):
        self.world = world
        self.stream = None
        self.on_progress = None  # called when bytes were sent or received
        # What the trial is told of it.
        self.record = {"scenario": scenario, "from": time.time()}
        self.claimed = None
        self.up = self.down = 0  # bytes of the relayed stream, as far as the client handed them over, or got them

    async def connect(self, listener, source=None, receive_buffer=None):
        self.record["listener"] = listener
        sock = socket_from(source or self.world.address(), receive_buffer)
        self.record["key"] = "%s:%d" % sock.getsockname()
        self.stream = await connect(sock, "127.0.0.1", self.world.ports[listener])
        self.stream.on_progress = self.on_progress
        return self.stream

    async def start_tls(self, server_name, context=None, session=None):
        await self.stream.start_tls(context or self.world.any_version(), server_name, session)
        if not self.stream.tls.session_reused:
            self.record["certificate"] = server_name.partition(".")[0]
            certificate = self.stream.tls.getpeercert(True)
            self.record["fingerprint"] = hashlib.sha256(certificate).hexdigest()

    async def claim(self, version):
        """Sends a header of the PROXY protocol."""
        port = random.randrange(1024, 65536)
        self.claimed = f"{CLAIMED}:{port}"
        await self.stream.write(header(version, CLAIMED, port, "198.51.100.1", 443))

    async def ask_for_tls(self):
        """As PostgreSQL's clients do."""
        await self.stream.write(SSL_REQUEST)
        answer = await self.stream.read_exactly(1)
        if answer != b"S":
            raise Wrong(f"{answer!r} in answer to a request for TLS")

    async def send(self, data):
        await self.stream.write(data)
        self.up += len(data)

    async def receive_exactly(self, size):
        data = await self.stream.read_exactly(size)
        self.down += size
        return data

    async def wish(self, upload, download, act=Act.SERVE, **more):
        """Says what is wanted, and hears who answers."""
        wish = Wish(random.getrandbits(48), upload, download, act, **more)
        await self.send(wish.encoded())
        try:
            identity, source = read_greeting(await self.receive_exactly(GREETING_SIZE))
        except ValueError as error:
            raise Wrong(str(error)) from None
        self.record["backend"] = identity
        if source and source != (self.claimed or self.record["key"]):
            raise Wrong(f"the backend takes the client for {source}")
        if self.claimed and not source:
            raise Wrong("no PROXY header came to the backend")
        return Conversation(self, wish)

    def finish(self, outcome, detail=""):
        self.record |= {"outcome": outcome, "detail": detail, "to": time.time(), "up": self.up, "down": self.down}
        if self.stream:
            self.record |= {"raw_up": self.stream.raw_sent, "raw_down": self.stream.raw_received}
            self.stream.close()
        return self.record


class Conversation:
    """The bytes of a wish, from the client's end: each one that comes is checked."""

    def __init__(self, visit, wish):
        self._visit, self._wish = visit, wish
        self.sent = self.received = 0

    async def upload(self, size=None):
        end = self._wish.upload if size is None else self.sent + size
        while self.sent < end:
            piece = pattern(self._wish.upload_seed, self.sent, min(LONGEST, end - self.sent))
            await self._visit.send(piece)
            self.sent += len(piece)

    async def download(self, size=None, step=LONGEST, between=None):
        """`between` is awaited after each read: who reads slowly waits there."""
        end = self._wish.download if size is None else self.received + size
        while self.received < end:
            data = await self._visit.stream.read(min(step, end - self.received))
            if not data:
                raise Broken("ended", f"after {self.received} of {self._wish.download} bytes")
            if not matches(data, self._wish.download_seed, self.received):
                raise Wrong(f"wrong bytes within {len(data)} at {self.received} of the download")
            self.received += len(data)
            self._visit.down += len(data)
            if between:
                await between()

    async def finish(self):
        """Our end, the backend's receipt, and its end."""
        await self._visit.stream.end()
        await self.take_receipt()

    async def take_receipt(self):
        said = await self._visit.receive_exactly(RECEIPT_SIZE)
        if said != receipt(self.sent):
            raise Wrong(f"the backend's receipt for {self.sent} bytes is {said!r}")
        await self.expect_end()

    async def expect_end(self):
        more = await self._visit.stream.read()
        if more:
            raise Wrong(f"{len(more)} bytes more than the backend sent")
