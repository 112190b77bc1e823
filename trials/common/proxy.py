"""Headers of the PROXY protocol."""
import ipaddress
import struct

from .stream import Broken

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def header(version, source, source_port, destination, destination_port):
    if version == 1:
        return f"PROXY TCP4 {source} {destination} {source_port} {destination_port}\r\n".encode()
    packed = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    body = packed + struct.pack("!HH", source_port, destination_port)
    return _SIGNATURE + bytes([0x21, 0x11]) + struct.pack("!H", len(body)) + body


async def read_header(stream):
    """(Version, source as ADDRESS:PORT) of the header that a stream begins with."""
    start = await stream.read_exactly(12)
    if start == _SIGNATURE:
        _, family, size = struct.unpack("!BBH", await stream.read_exactly(4))
        body = await stream.read_exactly(size)
        if family != 0x11:
            raise Broken("error", f"PROXY family {family:#x}")
        return 2, f"{ipaddress.ip_address(body[:4])}:{struct.unpack('!H', body[8:10])[0]}"
    while not start.endswith(b"\r\n"):
        start += await stream.read_exactly(1)
        if len(start) > 107:
            raise Broken("error", "no PROXY header")
    words = start.decode(errors="replace").split()
    if words[:2] != ["PROXY", "TCP4"]:
        raise Broken("error", f"PROXY header {start!r}")
    return 1, f"{words[2]}:{words[4]}"
