"""A TCP or TLS stream whose every way to end can be told apart, and made: for asyncio.

What the library offers knows neither TLS that is closed one way only, nor the difference between close_notify and FIN."""
import asyncio
import re
import socket
import ssl
import struct

CHUNK = 64 * 1024


class Broken(Exception):
    """The stream ended otherwise than in order. `how`: refused, reset, truncated (FIN without close_notify), alert, error."""

    def __init__(self, how, detail=""):
        super().__init__(f"{how} {detail}".strip())
        self.how = how
        self.detail = detail


class Stream:
    """One socket, in the clear until `start_tls`. One reader and one writer at a time."""

    def __init__(self, sock):
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._loop = asyncio.get_running_loop()
        self._tls = self._incoming = self._outgoing = None
        self._flushing = asyncio.Lock()
        self._ahead = b""
        self.raw_sent = self.raw_received = 0  # bytes on the socket
        self.on_progress = None  # called when bytes were sent or received

    @property
    def tls(self):
        """The ssl.SSLObject, or None."""
        return self._tls

    async def start_tls(self, context, server_name=None, session=None, server_side=False):
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        if self._ahead:
            self._incoming.write(self._ahead)
            self._ahead = b""
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=server_side,
                                     server_hostname=server_name, session=session)
        while True:
            try:
                self._tls.do_handshake()
                return await self._flush()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._receive_tls()
            except ssl.SSLError as error:
                await self._flush_quietly()
                raise _broken(error) from None

    async def write(self, data):
        for at in range(0, len(data), CHUNK):
            piece = data[at:at + CHUNK]
            if not self._tls:
                await self._send(piece)
                continue
            try:
                self._tls.write(piece)
            except ssl.SSLError as error:
                raise _broken(error) from None
            await self._flush()

    async def read(self, limit=4 * CHUNK):
        """Some bytes; none at an end in order (FIN, behind close_notify where it is TLS)."""
        if self._ahead:
            taken, self._ahead = self._ahead[:limit], self._ahead[limit:]
            return taken
        if not self._tls:
            return await self._receive(limit)
        while True:
            try:
                return self._tls.read(limit)
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLWantReadError:
                await self._receive_tls()
            except ssl.SSLError as error:
                raise _broken(error) from None

    async def read_exactly(self, size):
        read = b""
        while len(read) < size:
            more = await self.read(size - len(read))
            if not more:
                raise Broken("ended", f"after {len(read)} of {size} bytes")
            read += more
        return read

    async def end(self):
        """Ends our direction: close_notify where it is TLS, then FIN. The other one goes on."""
        if self._tls:
            self._read_ahead()
            try:
                self._tls.unwrap()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                raise _broken(error) from None
            await self._flush()
        self.end_socket()

    def end_socket(self):
        """FIN, without a word of TLS."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise Broken("reset", error.strerror) from None

    def reset(self):
        if self._socket.fileno() >= 0:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        if self._socket.fileno() >= 0:
            # What was cancelled while it waited takes its leave of the loop only in the next turn: by the number of the
            # descriptor, which may be another stream's by then.
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
        self._socket.close()

    def _read_ahead(self):
        # OpenSSL takes data that it meets while it sends its close_notify for an error.
        try:
            while data := self._tls.read(CHUNK):
                self._ahead += data
        except ssl.SSLError:
            pass  # nothing more for now; what is really wrong comes again with the next read

    async def _flush(self):
        async with self._flushing:
            if self._outgoing.pending:
                await self._send(self._outgoing.read())

    async def _flush_quietly(self):
        try:
            await self._flush()
        except Broken:
            pass

    async def _receive_tls(self):
        data = await self._receive(4 * CHUNK)
        if not data:
            raise Broken("truncated", "FIN without close_notify")
        self._incoming.write(data)

    async def _receive(self, limit):
        try:
            data = await self._loop.sock_recv(self._socket, limit)
        except OSError as error:
            raise Broken("reset", error.strerror or str(error)) from None
        self.raw_received += len(data)
        self._progress()
        return data

    async def _send(self, data):
        try:
            await self._loop.sock_sendall(self._socket, data)
        except OSError as error:
            raise Broken("reset", error.strerror or str(error)) from None
        self.raw_sent += len(data)
        self._progress()

    def _progress(self):
        if self.on_progress:
            self.on_progress()


def socket_from(source=None, receive_buffer=None):
    """A socket that is to connect from an address; its port is known before it does."""
    sock = socket.socket()
    sock.setblocking(False)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if source:
        sock.bind((source, 0))
    return sock


async def connect(sock, address, port):
    """Connects; returns the Stream. The socket is closed where that fails."""
    try:
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except OSError as error:
        sock.close()
        if isinstance(error, ConnectionRefusedError):
            raise Broken("refused") from None
        # It was connected, and reset before anybody looked.
        raise Broken("reset" if isinstance(error, ConnectionResetError) else "error", f"connect: {error}") from None
    return Stream(sock)


def _broken(error):
    if isinstance(error, ssl.SSLCertVerificationError):
        return Broken("untrusted", error.verify_message)
    if isinstance(error, ssl.SSLEOFError):
        return Broken("truncated", "EOF")
    alert = re.search(r"ALERT_([A-Z_]+)|TLSV1_UNRECOGNIZED_NAME", error.reason or "")
    if alert:
        return Broken("alert", (alert[1] or "UNRECOGNIZED_NAME").lower())
    return Broken("error", error.reason or str(error))
