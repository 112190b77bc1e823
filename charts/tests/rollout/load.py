"""Clients, and the server that the gateway leads them to. Each connection sends bytes of its own and must get the same back."""

import asyncio
import collections
import os


async def serve(address, port):
    async def echo(reader, writer):
        try:
            while data := await reader.read(4096):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
    return await asyncio.start_server(echo, address, port, backlog=1024)


async def visit(address, port, times=1, pause=0.0):
    """Connects, sends and receives so often; raises what goes wrong."""
    reader, writer = await asyncio.open_connection(address, port)
    try:
        for index in range(times):
            if index:
                await asyncio.sleep(pause)
            data = os.urandom(16)
            writer.write(data)
            if await reader.readexactly(len(data)) != data:
                raise ValueError("other bytes than were sent")
    finally:
        writer.close()


class Load:
    """So many connections a second, whether or not earlier ones were answered."""

    def __init__(self, address, port, rate):
        self.address, self.port, self.rate = address, port, rate
        self.outcomes, self.visits = collections.Counter(), set()
        self.task = asyncio.create_task(self._run())

    async def _run(self):
        loop = asyncio.get_running_loop()
        start, number = loop.time(), 0
        while True:
            number += 1
            await asyncio.sleep(max(0, start + number / self.rate - loop.time()))
            self.begin()

    def begin(self, **options):
        visit = asyncio.create_task(self._visit(**options))
        self.visits.add(visit)
        visit.add_done_callback(self.visits.discard)

    async def _visit(self, kind="short", times=1, pause=0.0):
        try:
            await asyncio.wait_for(visit(self.address, self.port, times, pause), 30 + times * pause)
            self.outcomes[f"{kind}: ok"] += 1
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            self.outcomes[f"{kind}: {type(error).__name__}"] += 1

    async def end(self):
        """What became of the connections, when all have ended."""
        self.task.cancel()
        while self.visits:
            await asyncio.sleep(0.05)
        return dict(self.outcomes)
