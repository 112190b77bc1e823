"""The clients: python3 -m trials.soak.clients FILE

FILE says ports and certificates, in JSON. Each visit that is over is a line of JSON; at the end of its input the load ends, visits
that are under way come to theirs, and the program with them."""
import asyncio
import json
import pathlib
import random
import sys
import urllib.request

from ..common.stream import Broken
from .scenarios import scenarios
from .visit import Visit, World, Wrong


def _first(group):
    """What speaks for a group: mistakes of this program before all else, then wrong bytes, then how the stream ended."""
    found = []
    for each in group.exceptions:
        found.append(_first(each) if isinstance(each, BaseExceptionGroup) else each)
    kinds = (Wrong, Broken)
    return min(found, key=lambda each: next((rank for rank, kind in enumerate(kinds) if isinstance(each, kind)), -1))


async def _play(scenario, world):
    visit = Visit(scenario.name, world)
    now = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(scenario.patience_s) as limit:
            visit.on_progress = lambda: limit.reschedule(now() + scenario.patience_s)
            return visit.finish(await scenario.play(visit))
    except BaseExceptionGroup as group:
        problem = _first(group)
    except Exception as error:
        problem = error
    if isinstance(problem, Broken):
        return visit.finish(problem.how, problem.detail)
    if isinstance(problem, Wrong):
        return visit.finish("wrong", str(problem))
    if isinstance(problem, TimeoutError):
        visit.record["how_it_stands"] = _how_it_stands(world, visit.record.get("key", ""))
        return visit.finish("hung", f"no byte for {scenario.patience_s} s")
    return visit.finish("mistake", f"{type(problem).__name__}: {problem}")


def _how_it_stands(world, key):
    """What gateway and kernel say of a connection on which nothing happens, while it is still open."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{world.admin}/connections?peer={key}", timeout=10) as answer:
            said = json.load(answer)["connections"]
    except OSError as error:
        said = str(error)
    port = f":{int(key.rpartition(':')[2] or 0):04X} "
    kernel = [line.split()[1:5] for line in pathlib.Path("/proc/net/tcp").read_text().splitlines() if port in line]
    return {"gateway": said, "kernel": kernel}


async def _repeat(scenario, world, over):
    await _rest(scenario.rest_s, over)
    while not world.stopping:
        record = await _play(scenario, world)
        sys.stdout.write(json.dumps(record) + "\n")
        await _rest(scenario.rest_s, over)


async def _rest(seconds, over):
    """A while, or until the load is to end."""
    try:
        await asyncio.wait_for(over.wait(), seconds * random.uniform(0.5, 1.5))
    except TimeoutError:
        pass


async def _main(described):
    world = World(**described["world"])
    over = asyncio.Event()

    def end():
        world.stopping = True
        over.set()

    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, lambda: (loop.remove_reader(sys.stdin), end()))
    async with asyncio.TaskGroup() as everybody:
        for scenario in scenarios(described["load"]):
            for _ in range(scenario.at_once):
                everybody.create_task(_repeat(scenario, world, over))


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    asyncio.run(_main(json.loads(pathlib.Path(sys.argv[1]).read_text())))
