"""`PORT CONNECTIONS`: long-lived connections with traffic, until SIGTERM; then a report as one JSON line.

Each connection sends a piece of its own bytes and waits for exactly these to come back, again and again. Beside them, new
connections are made one after the other. Through all of it the backend greets with one line and then echoes.
"""
import asyncio
import json
import random
import signal
import sys

port, count = int(sys.argv[1]), int(sys.argv[2])
report = {"connections": 0, "rounds": 0, "bytes": 0, "failures": [], "new": 0, "refused": []}
ending = asyncio.Event()


async def exchange(reader, writer, random_):
    piece = random_.randbytes(random_.choice([16, 400, 4000, 40000]))
    writer.write(piece)
    await writer.drain()
    answer = await asyncio.wait_for(reader.readexactly(len(piece)), 20)
    assert answer == piece, "bytes came back changed"
    report["bytes"] += len(piece)


async def steady(number, ready):
    try:
        random_ = random.Random(number)
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 20)
        await asyncio.wait_for(reader.readline(), 20)
        await exchange(reader, writer, random_)
        report["connections"] += 1
        ready.release()
        while not ending.is_set():
            await exchange(reader, writer, random_)
            report["rounds"] += 1
            await asyncio.sleep(random_.uniform(0.1, 0.4))
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 20) == b"", "bytes after the end"
        writer.close()
    except Exception as problem:
        report["failures"].append(f"connection {number}: {problem!r}")
        ready.release()


async def newcomers():
    random_ = random.Random(-1)
    while not ending.is_set():
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 20)
            assert (await asyncio.wait_for(reader.readline(), 20)).endswith(b"\n"), "no greeting"
            await exchange(reader, writer, random_)
            writer.close()
            report["new"] += 1
        except Exception as problem:
            report["refused"].append(repr(problem))
        await asyncio.sleep(0.002)


async def main():
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    ready = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(steady(number, ready)) for number in range(count)]
    for _ in tasks:
        await ready.acquire()
    tasks.append(asyncio.create_task(newcomers()))
    print("running", report["connections"], flush=True)
    await asyncio.gather(*tasks)
    print("report", json.dumps(report), flush=True)


asyncio.run(main())
