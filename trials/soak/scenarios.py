"""What clients do, how many of them at a time, and how long each rests between two visits."""
import dataclasses
import random
import typing

from . import misbehaviour, sessions
from .sessions import KIB, MIB, WAYS
from .wish import Act


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    play: typing.Callable
    at_once: int
    rest_s: float
    patience_s: float = 90  # for how long not a byte may go either way
    grows: bool = True  # with the load that is asked for; what meets limits does not


def _uniform(low, high):
    return int(random.uniform(low, high))


FOR_EVER_S = 1e7


def _chats():
    for name, way in WAYS.items():
        yield Scenario(f"chat-{name}", lambda visit, way=way: sessions.chat(visit, way, random.uniform(0.1, 5), 0.05), 2, 0.2)


def _long():
    # Each outlives hundreds of reloads.
    for name in ("plain", "passthrough", "terminate", "reencrypt", "mutual", "postgres", "proxied", "headed"):
        yield Scenario(f"long-{name}", lambda visit, way=WAYS[name]: sessions.chat(
            visit, way, random.uniform(20, 240), 1.0), 3, 1.0)
        # And one from the first moment to the last.
        yield Scenario(f"whole-{name}", lambda visit, way=WAYS[name]: sessions.chat(visit, way, FOR_EVER_S, 0.5), 1, 0.1, grows=False)


def _bulk():
    for name in ("plain", "passthrough", "terminate", "reencrypt", "headed"):
        yield Scenario(f"both-ways-{name}", lambda visit, way=WAYS[name]: sessions.transfer(
            visit, way, _uniform(0, 10 * MIB), _uniform(0, 10 * MIB)), 2, 1.0)
    for name in ("plain", "terminate", "reencrypt"):
        yield Scenario(f"upload-{name}", lambda visit, way=WAYS[name]: sessions.transfer(
            visit, way, _uniform(4 * MIB, 24 * MIB), 1000), 1, 1.5)
        yield Scenario(f"download-{name}", lambda visit, way=WAYS[name]: sessions.half_closed(
            visit, way, 1000, _uniform(4 * MIB, 24 * MIB)), 1, 1.5)
    yield Scenario("download-throttled", lambda visit: sessions.transfer(
        visit, sessions.throttled, _uniform(0, MIB), _uniform(0, 2 * MIB)), 2, 1.0)


def _ends():
    for name in ("plain", "paired", "passthrough", "terminate", "reencrypt", "mutual", "proxied"):
        yield Scenario(f"half-closed-{name}", lambda visit, way=WAYS[name]: sessions.half_closed(
            visit, way, _uniform(0, 50 * KIB), _uniform(0, 200 * KIB)), 1, 0.7)
        yield Scenario(f"backend-first-{name}", lambda visit, way=WAYS[name]: sessions.backend_first(
            visit, way, _uniform(0, 200 * KIB), _uniform(0, 50 * KIB)), 1, 0.7)
    for name in ("plain", "terminate"):
        yield Scenario(f"slow-reader-{name}", lambda visit, way=WAYS[name]: sessions.slow_reader(
            visit, way, 3 * MIB), 1, 2.0)
    yield Scenario("resumed", sessions.resumed, 1, 0.5)
    for name in ("plain", "passthrough", "terminate", "reencrypt"):
        for act in (Act.RESET, Act.CUT):
            yield Scenario(f"backend-{act.name.lower()}-{name}", lambda visit, way=WAYS[name], act=act:
                           sessions.backend_fault(visit, way, act), 1, 1.0)


def _changing():
    """Where routes, listeners, rules and backends come and go."""
    async def flapping(visit, **options):
        await visit.connect("flapping", **options)

    async def guarded(visit, **options):
        await visit.connect("guarded", **options)

    async def passing(visit, **options):
        name = f"passing-{random.randrange(PASSING)}"
        visit.record["route"] = name
        await visit.connect("tls", **options)
        await visit.start_tls(f"{name}.passing.test")

    async def mortal(visit, **options):
        await visit.connect("mortal", **options)

    async def mortal_tls(visit, **options):
        await visit.connect("tls", **options)
        await visit.start_tls("mortal.soak.test")

    async def lonely(visit, **options):
        await visit.connect("lonely", **options)

    def chat(way, seconds):
        return lambda visit: sessions.chat(visit, way, random.uniform(0.1, seconds), 0.1)

    yield Scenario("flapping", chat(flapping, 20), 3, 0.5)
    yield Scenario("guarded", chat(guarded, 2), 1, 0.5)
    yield Scenario("passing", chat(passing, 10), 3, 0.3)
    yield Scenario("mortal", chat(mortal, 4), 4, 0.3)
    yield Scenario("mortal-tls", chat(mortal_tls, 4), 2, 0.3)
    yield Scenario("mortal-bulk", lambda visit: sessions.transfer(visit, mortal, _uniform(0, 4 * MIB), _uniform(0, 4 * MIB)),
                   1, 1.0)
    yield Scenario("lonely", chat(lonely, 2), 1, 0.3)


# How many names of routes there are that come and go.
PASSING = 8


def _limits():
    async def queued(visit, **options):
        await visit.connect("queued", **options)

    async def from_one_address(visit, **options):
        await visit.connect("counted", source="127.9.9.9", **options)

    yield Scenario("queued", lambda visit: sessions.chat(visit, queued, random.uniform(0.05, 1.0), 0.05), 9, 0.1, grows=False)
    yield Scenario("one-source", lambda visit: sessions.chat(visit, from_one_address, random.uniform(0.1, 1.0), 0.05), 4, 0.3, grows=False)


def _bad():
    rests = {"connects_and_ends": 0.3, "connects_and_resets": 0.3, "never_reads_and_uploads": 3, "never_reads": 2}
    for name, play in vars(misbehaviour).items():
        ours = getattr(play, "__module__", None) == misbehaviour.__name__
        if ours and not name.startswith("_") and name != "client_hello":
            yield Scenario(name.replace("_", "-"), play, 1, rests.get(name, 0.8))


def scenarios(load):
    """All of them, with `load` times as many clients at a time where that changes nothing else."""
    every = [*_chats(), *_long(), *_bulk(), *_ends(), *_changing(), *_limits(), *_bad()]
    return [dataclasses.replace(each, at_once=each.at_once * load) if each.grows else each for each in every]
