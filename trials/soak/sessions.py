"""Clients that behave: ways through the gateway, and what is done on them."""
import asyncio
import random

from ..common.stream import Broken
from .wish import Act

KIB, MIB = 1 << 10, 1 << 20


# --- Ways: each leaves the visit with a stream that a wish can be sent on.

async def plain(visit, **options):
    await visit.connect("plain", **options)


async def paired(visit, **options):
    await visit.connect("paired", **options)


async def passthrough(visit, **options):
    await visit.connect("tls", **options)
    await visit.start_tls("passthrough.soak.test")


async def terminate(visit, **options):
    await visit.connect("tls", **options)
    await visit.start_tls("terminate.soak.test")


async def reencrypt(visit, **options):
    await visit.connect("tls", **options)
    await visit.start_tls("reencrypt.soak.test")


async def mutual(visit, **options):
    await visit.connect("mutual", **options)
    await visit.start_tls("mutual.soak.test", visit.world.known)


async def postgres(visit, **options):
    await visit.connect("postgres", **options)
    await visit.ask_for_tls()
    await visit.start_tls("postgres.soak.test")


async def proxied(visit, **options):
    await visit.connect("proxied", **options)
    await visit.claim(random.choice([1, 2]))


async def headed(visit, **options):
    await visit.connect("headed", **options)


async def throttled(visit, **options):
    await visit.connect("throttled", **options)


WAYS = {way.__name__: way for way in (plain, paired, passthrough, terminate, reencrypt, mutual, postgres, proxied, headed,
                                      throttled)}


# --- What is done there. Each returns what came of it; what goes wrong is raised.

async def chat(visit, way, seconds, pause, message=None):
    """Messages and answers in turn."""
    await way(visit)
    message = message or random.choice([16, 200, 1400, 9000])
    rounds = max(1, int(seconds / pause))
    talk = None
    # How long it is to be is said when it ends: a load that is to end does not wait for it.
    talk = await visit.wish(0, 0, Act.CHAT, message=message, unfinished=True)
    for _ in range(rounds):
        await talk.upload(message)
        await talk.download(message)
        if visit.world.stopping:
            break
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))
    await talk.finish()
    return "served"


async def transfer(visit, way, upload, download):
    """Both ways at once; the client ends first, the backend answers that with its receipt."""
    await way(visit)
    talk = await visit.wish(upload, download)
    async with asyncio.TaskGroup() as both:
        both.create_task(talk.upload())
        both.create_task(talk.download())
    await talk.finish()
    return "served"


async def half_closed(visit, way, upload, download):
    """The client ends before it has been told anything."""
    await way(visit)
    talk = await visit.wish(upload, download)
    await talk.upload()
    await visit.stream.end()
    await talk.download()
    await talk.take_receipt()
    return "served"


async def backend_first(visit, way, upload, download):
    """The backend ends when it has sent everything; the client goes on."""
    await way(visit)
    talk = await visit.wish(upload, download, backend_ends_first=True)
    await talk.download()
    await talk.expect_end()
    await talk.upload()
    await visit.stream.end()
    return "served"


async def slow_reader(visit, way, download):
    await way(visit, receive_buffer=16 * KIB)
    talk = await visit.wish(1000, download)
    await talk.upload()

    async def doze():
        await asyncio.sleep(0 if visit.world.stopping else 0.02)

    await talk.download(step=16 * KIB, between=doze)
    await talk.finish()
    return "served"


async def resumed(visit):
    """A session that resumes the one before, where the gateway lets it."""
    world = visit.world
    await visit.connect("tls")
    await visit.start_tls("terminate.soak.test", world.trusting, world.ticket)
    visit.record["resumed"] = visit.stream.tls.session_reused
    talk = await visit.wish(3000, 3000)
    await talk.upload()
    await talk.download()
    world.ticket = visit.stream.tls.session
    await talk.finish()
    return "served"


async def backend_fault(visit, way, act):
    """A backend that resets, or ends in the middle. What of its bytes comes must be right."""
    await way(visit)
    size = random.choice([0, 5000, 300_000])
    talk = await visit.wish(0, size + 1, act, at=size, unfinished=True)
    try:
        await talk.download()
    except Broken as broken:
        if broken.how in ("ended", "truncated") and talk.received != size:
            raise Broken("lost", f"{talk.received} of {size} bytes, then {broken}") from None
        raise
    return "served"
