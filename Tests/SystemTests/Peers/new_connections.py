"""New connections at a steady rate, each verified by its bytes: a greeting, then 1,000 bytes there and back."""
import asyncio
import random
import threading
import time


class NewConnections:
    """Begins at once, on a thread of its own; `rate` connections a second to 127.0.0.1."""

    def __init__(self, port, rate=200):
        self.port, self.rate = port, rate
        self.begun, self.served, self.failures, self.longest = 0, 0, [], 0.0
        self.ending = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run()), daemon=True)
        self.thread.start()

    async def one(self, number):
        start = time.monotonic()
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", self.port), 20)
            assert (await asyncio.wait_for(reader.readline(), 20)).endswith(b"\n"), "no greeting"
            piece = random.Random(number).randbytes(1000)
            writer.write(piece)
            assert await asyncio.wait_for(reader.readexactly(len(piece)), 20) == piece, "bytes came back changed"
            writer.write_eof()
            assert await asyncio.wait_for(reader.read(), 20) == b"", "bytes after the end"
            writer.close()
            self.served += 1
            self.longest = max(self.longest, time.monotonic() - start)
        except Exception as problem:
            self.failures.append({"begun": start, "problem": repr(problem)})

    async def run(self):
        start, tasks = time.monotonic(), set()
        while not self.ending.is_set():
            # By the clock, so that a stall of this process does not make it slower.
            while self.begun < (time.monotonic() - start) * self.rate:
                task = asyncio.create_task(self.one(self.begun))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                self.begun += 1
            await asyncio.sleep(0.002)
        self.seconds = time.monotonic() - start
        await asyncio.gather(*tasks)

    def finish(self):
        self.ending.set()
        self.thread.join()
        return {
            "begun": self.begun, "served": self.served, "failures": [one["problem"] for one in self.failures],
            "rate": round(self.begun / self.seconds), "longest": round(self.longest, 3),
        }
