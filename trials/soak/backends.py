"""A backend: python3 -m trials.soak.backends IDENTITY CERTIFICATE KEY PLAIN-PORT TLS-PORT HEADED-PORT

It serves wishes in the clear, over TLS, and behind a header of the PROXY protocol. What a client can't be told, bytes of
an upload that are wrong or missing, is printed as a line of JSON; nothing else is."""
import asyncio
import json
import os
import signal
import socket
import ssl
import sys
import time

from ..common.pattern import LONGEST, matches, pattern
from ..common.proxy import read_header
from ..common.stream import Broken, Stream
from .wish import WISH_SIZE, Act, Wish, greeting, receipt


class Mistake(Exception):
    """Bytes that are not what the client sent."""


class Service:
    """One client's wish, served."""

    def __init__(self, stream, wish):
        self._stream, self._wish = stream, wish
        self._received = self._sent = 0

    async def serve(self):
        wish = self._wish
        if wish.act in (Act.RESET, Act.CUT):
            await self._send(wish.at)
            return self._stream.reset() if wish.act == Act.RESET else self._stream.end_socket()
        if wish.act == Act.CHAT:
            await self._chat()
        else:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._receive())
                both.create_task(self._download())
        if not wish.backend_ends_first:
            await self._stream.write(receipt(self._received))
            await self._stream.end()

    async def _download(self):
        await self._send(self._wish.download)
        if self._wish.backend_ends_first:
            await self._stream.end()

    async def _send(self, size):
        end = self._sent + size
        while self._sent < end:
            piece = pattern(self._wish.download_seed, self._sent, min(LONGEST, end - self._sent))
            await self._stream.write(piece)
            self._sent += len(piece)

    async def _receive(self, limit=None):
        """To the end, or `limit` bytes. Returns whether there may be more."""
        end = None if limit is None else self._received + limit
        while end is None or self._received < end:
            data = await self._read(LONGEST if end is None else end - self._received)
            if not data:
                self._check_whole()
                return False
            if not matches(data, self._wish.upload_seed, self._received):
                raise Mistake(f"wrong bytes within {len(data)} at {self._received} of the upload")
            self._received += len(data)
        return True

    async def _read(self, limit):
        try:
            return await self._stream.read(limit)
        except Broken as broken:
            if self._wish.unfinished:
                raise
            raise Mistake(f"the upload broke off after {self._received} of {self._wish.upload} bytes: {broken}") from None

    def _check_whole(self):
        if self._received != self._wish.upload and not self._wish.unfinished:
            raise Mistake(f"the upload ended in order after {self._received} of {self._wish.upload} bytes")

    async def _chat(self):
        while await self._receive(self._wish.message):
            await self._send(self._wish.message)


class Backend:
    def __init__(self, identity, certificate, key):
        self._identity = identity
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate, key)
        self._tasks = set()

    async def listen(self, port, tls=False, headed=False):
        listener = socket.create_server(("127.0.0.1", port), backlog=512)
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        with listener:
            while True:
                sock, _ = await loop.sock_accept(listener)
                task = loop.create_task(self._meet(Stream(sock), tls, headed))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _meet(self, stream, tls, headed):
        started = time.time()
        try:
            await self._converse(stream, tls, headed)
        except (Broken, Mistake) as problem:
            self._report(problem, started)
        except BaseExceptionGroup as group:
            for problem in group.exceptions:
                self._report(problem, started)
        except Exception as problem:  # of this program itself: it must not pass for a quiet end
            self._report(problem, started)
        finally:
            stream.close()

    def _report(self, problem, started):
        # How a client leaves is for the client to account for.
        if not isinstance(problem, Broken):
            print(json.dumps({"backend": self._identity, "problem": f"{type(problem).__name__}: {problem}",
                              "from": started, "to": time.time()}), flush=True)

    async def _converse(self, stream, tls, headed):
        source = (await read_header(stream))[1] if headed else ""
        if tls:
            await stream.start_tls(self._tls, server_side=True)
        wish = Wish.of(await stream.read_exactly(WISH_SIZE))
        await stream.write(greeting(self._identity, source))
        await Service(stream, wish).serve()


async def _main(identity, certificate, key, *ports):
    backend = Backend(identity, certificate, key)
    plain, tls, headed = map(int, ports)
    await asyncio.gather(backend.listen(plain), backend.listen(tls, tls=True), backend.listen(headed, headed=True))


if __name__ == "__main__":
    # At once: what stands open then is nobody's any more.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    asyncio.run(_main(*sys.argv[1:]))
