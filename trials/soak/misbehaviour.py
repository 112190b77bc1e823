"""Clients that misbehave. Each returns what came of it; how the gateway ends it is raised."""
import asyncio
import os
import random
import ssl

from ..common.proxy import header
from ..common.stream import Broken
from .sessions import KIB, MIB, plain, terminate
from .wish import Act

STRICT = "strict.soak.test"


def client_hello(server_name):
    """A hello as OpenSSL sends it, without the rest of a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        context.wrap_bio(incoming, outgoing, server_hostname=server_name).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


async def _await_end(visit):
    """Until the gateway ends the connection in order; an end of another kind is raised."""
    while await visit.stream.read():
        pass
    return "ended"


def _part(data):
    return data[:random.randrange(1, len(data))]


# --- Before a route is chosen.

async def says_nothing(visit):
    await visit.connect("strict")
    return await _await_end(visit)


async def half_hello_then_nothing(visit):
    stream = await visit.connect("strict")
    await stream.write(_part(client_hello(STRICT)))
    return await _await_end(visit)


async def half_hello_then_end(visit):
    stream = await visit.connect("strict")
    await stream.write(_part(client_hello(STRICT)))
    stream.end_socket()
    return await _await_end(visit)


async def half_hello_then_reset(visit):
    stream = await visit.connect("strict")
    await stream.write(_part(client_hello(STRICT)))
    await asyncio.sleep(0.05)
    stream.reset()
    return "left"


async def hello_in_crumbs(visit):
    """One byte a segment, but all of it, within the time there is: it is served."""
    stream = await visit.connect("tls")
    hello = client_hello("passthrough.soak.test")
    for at in range(0, len(hello), 16):
        await stream.write(hello[at:at + 16])
        await asyncio.sleep(0)
    await asyncio.sleep(0.02)
    await stream.read()
    stream.reset()
    return "left"


async def hello_then_nothing(visit):
    stream = await visit.connect("strict")
    await stream.write(client_hello(STRICT))
    return await _await_end(visit)


async def hello_then_reset(visit):
    stream = await visit.connect("strict")
    await stream.write(client_hello(STRICT))
    await stream.read()
    stream.reset()
    return "left"


async def garbage_for_tls(visit):
    stream = await visit.connect("strict")
    await stream.write(bytes([random.choice([0, 1, 71, 255])]) + os.urandom(200))
    return await _await_end(visit)


async def garbage_after_hello(visit):
    stream = await visit.connect("strict")
    await stream.write(client_hello(STRICT) + os.urandom(300))
    return await _await_end(visit)


async def garbage_for_proxy(visit):
    stream = await visit.connect("proxied")
    await stream.write(b"\r\n\r\n\0\r\nQUIT\n" + b"\xff" * 60)
    return await _await_end(visit)


async def no_proxy_header(visit):
    stream = await visit.connect("proxied")
    await stream.write(b"GET / HTTP/1.1\r\nHost: soak.test\r\n\r\n")
    return await _await_end(visit)


async def half_proxy_header(visit):
    stream = await visit.connect("proxied")
    await stream.write(header(2, "203.0.113.7", 5, "198.51.100.1", 443)[:20])
    return await _await_end(visit)


async def postgres_in_the_clear(visit):
    stream = await visit.connect("postgres")
    start = b"\0\3\0\0user\0soak\0\0"
    await stream.write((len(start) + 4).to_bytes(4) + start)
    answer = await stream.read()
    if not answer.startswith(b"E") or b"08P01" not in answer:
        raise Broken("error", f"{answer!r} in answer to a start in the clear")
    return await _await_end(visit)


async def unknown_name(visit):
    await visit.connect("tls")
    await visit.start_tls("nobody.soak.test")
    return "served"


async def without_certificate(visit):
    await visit.connect("mutual")
    await visit.start_tls("mutual.soak.test")
    return await _await_end(visit)


async def foreign_certificate(visit):
    await visit.connect("mutual")
    await visit.start_tls("mutual.soak.test", visit.world.foreign)
    return await _await_end(visit)


async def distrusts(visit):
    await visit.connect("tls")
    await visit.start_tls("terminate.soak.test", visit.world.distrusting)
    return "served"


async def connects_and_ends(visit):
    await visit.connect(random.choice(["plain", "strict"]))
    visit.stream.end_socket()
    return await _await_end(visit)


async def connects_and_resets(visit):
    await visit.connect(random.choice(["plain", "strict"]))
    visit.stream.reset()
    return "left"


# --- With a session.

async def resets_in_transfer(visit):
    await random.choice([plain, terminate])(visit)
    talk = await visit.wish(4 * MIB, 4 * MIB, unfinished=True)
    await talk.download(random.choice([1, 100 * KIB, MIB]))
    visit.stream.reset()
    return "left"


async def vanishes(visit):
    """TLS that ends without close_notify."""
    await terminate(visit)
    talk = await visit.wish(1000, 1000, unfinished=True)
    await talk.upload()
    await talk.download()
    visit.stream.end_socket()
    await visit.stream.read()
    return "left"


async def never_reads(visit):
    await plain(visit, receive_buffer=4 * KIB)
    await visit.wish(1, 8 * MIB, unfinished=True)
    await asyncio.sleep(random.uniform(0.5, 3))
    visit.stream.reset()
    return "left"


async def never_reads_and_uploads(visit):
    """Its own bytes are taken until the backend, which sends as well, has no room either."""
    await terminate(visit, receive_buffer=4 * KIB)
    talk = await visit.wish(16 * MIB, 16 * MIB, unfinished=True)
    try:
        async with asyncio.timeout(random.uniform(0.5, 3)):
            await talk.upload()
    except TimeoutError:
        pass
    visit.stream.reset()
    return "left"


async def idles(visit):
    await visit.connect("idle")
    talk = await visit.wish(1000, 1000, Act.CHAT, message=1000, unfinished=True)
    await talk.upload()
    await talk.download()
    return await _await_end(visit)


async def holds_half_open(visit):
    """Has ended, and never takes the end of the other side for an answer."""
    await visit.connect("idle")
    await visit.wish(0, 0, Act.CHAT, message=10, unfinished=True)
    await asyncio.sleep(3)
    return await _await_end(visit)
