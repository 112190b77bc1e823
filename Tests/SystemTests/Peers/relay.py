"""`FROM TO`: takes connections at FROM and passes their bytes to and from TO, until its parent ends.

Either is `tcp:HOST:PORT` or `unix:PATH`. A unix socket leads from one network of the kernel into another.
"""
import asyncio
import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
source, target = (argument.split(":") for argument in sys.argv[1:3])


async def pipe(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def serve(reader, writer):
    try:
        if target[0] == "unix":
            other = await asyncio.open_unix_connection(target[1])
        else:
            other = await asyncio.open_connection(target[1], int(target[2]))
    except OSError:
        writer.close()
        return
    await asyncio.gather(pipe(reader, other[1]), pipe(other[0], writer))
    writer.close()
    other[1].close()


async def main():
    if source[0] == "unix":
        server = await asyncio.start_unix_server(serve, source[1])
    else:
        server = await asyncio.start_server(serve, source[1], int(source[2]))
    print("relays", flush=True)
    await server.serve_forever()


asyncio.run(main())
