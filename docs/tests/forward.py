"""`kubectl port-forward` for the one gateway that runs: takes [LOCAL]:PORT or PORT and leads to its address for operators."""
import asyncio
import sys

# What the pod would have at the address that stands in the documentation.
PORTS = {19000: ("127.0.0.2", 19001), 8081: ("127.0.0.2", 18081)}


async def pipe(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def main():
    local, _, remote = sys.argv[-1].rpartition(":")
    target = PORTS[int(remote)]

    async def serve(reader, writer):
        other = await asyncio.open_connection(*target)
        await asyncio.gather(pipe(reader, other[1]), pipe(other[0], writer))

    port = int(local or 0) if ":" in sys.argv[-1] else int(remote)
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    print(f"Forwarding from 127.0.0.1:{server.sockets[0].getsockname()[1]} -> {remote}", flush=True)
    await server.serve_forever()


asyncio.run(main())
