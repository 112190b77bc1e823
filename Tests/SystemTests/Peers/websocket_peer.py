"""A WebSocket echo: `server` (plain, prints its port), or `client PORT CA NAME` through TLS."""
import asyncio
import ssl
import sys

import websockets


async def serve():
    async def echo(connection):
        async for message in connection:
            await connection.send(message)

    async with websockets.serve(echo, "127.0.0.1", 0, max_size=None) as server:
        print("port", server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


async def talk(port, authority, name):
    context = ssl.create_default_context(cafile=authority)
    async with websockets.connect(
        f"wss://{name}/", host="127.0.0.1", port=port, ssl=context, server_hostname=name, max_size=None,
        open_timeout=10, **({"proxy": None} if int(websockets.__version__.split(".")[0]) >= 15 else {})
    ) as connection:
        for number in range(200):
            await connection.send(f"message {number}")
            answer = await asyncio.wait_for(connection.recv(), 10)
            assert answer == f"message {number}", answer
        large = bytes(range(256)) * 8192
        await connection.send(large)
        assert await asyncio.wait_for(connection.recv(), 20) == large, "the large message came back changed"
        pong = await connection.ping()
        await asyncio.wait_for(pong, 10)
    print("exchanged 200 messages, 2097152 bytes, a ping; closed", connection.close_code)


asyncio.run(serve() if sys.argv[1] == "server" else talk(int(sys.argv[2]), sys.argv[3], sys.argv[4]))
