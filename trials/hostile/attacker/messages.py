"""What an attacker says first: hellos, headers and requests, whole, in part or too large."""
import ssl
import struct

NAME = "echo.bench.test"
SSL_REQUEST = struct.pack("!II", 8, 80877103)
PROXY_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def library_hello(name=NAME, version=ssl.TLSVersion.TLSv1_3):
    """A whole ClientHello as OpenSSL writes it. Whoever sends it again cannot finish the handshake."""
    context = ssl.create_default_context()
    context.minimum_version = context.maximum_version = version
    outgoing = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake with nobody")


def _vector(size, data):
    return len(data).to_bytes(size) + data


def _extension(number, data):
    return struct.pack("!H", number) + _vector(2, data)


def made_hello(name=NAME, compression=b"\0", ticket=None, padding=0, early_data=False):
    """A ClientHello of TLS 1.2, which a server can go on with. `ticket`: bytes of a session ticket that nobody sealed."""
    extensions = _extension(0, _vector(2, b"\0" + _vector(2, name.encode() if isinstance(name, str) else name)))
    extensions += _extension(10, _vector(2, b"\0\x1d\0\x17")) + _extension(11, _vector(1, b"\0"))
    extensions += _extension(13, _vector(2, b"\x04\x03\x05\x03\x08\x04\x04\x01"))
    if ticket is not None:
        extensions += _extension(35, ticket)
    if early_data:
        extensions += _extension(42, b"")
    if padding:
        extensions += _extension(21, bytes(padding))
    body = struct.pack("!H", 0x303) + bytes(range(32)) + _vector(1, b"") + _vector(2, b"\xc0\x2b\xc0\x2f")
    body += _vector(1, compression) + _vector(2, extensions)
    return records(b"\x01" + _vector(3, body))


def records(message, size=16384):
    """A handshake message in records of at most `size` bytes each."""
    return b"".join(b"\x16\x03\x01" + _vector(2, message[at:at + size]) for at in range(0, len(message), size))


def oversized_hello():
    """More than 16 KiB, in several records."""
    return made_hello(padding=40_000)


def oversized_name():
    return made_hello(name=b"a" * 12_000 + b".bench.test")


def oversized_header():
    """PROXY version 2 with 60,000 bytes of TLVs."""
    tlvs = b"".join(b"\xe0" + _vector(2, bytes(1000)) for _ in range(60))
    addresses = bytes([10, 0, 0, 1, 10, 0, 0, 2]) + struct.pack("!HH", 1, 2)
    return PROXY_SIGNATURE + b"\x21\x11" + _vector(2, addresses + tlvs)


def endless_line():
    """PROXY version 1 without its end."""
    return b"PROXY TCP4 " + b"1" * 8000


def oversized_start():
    """PostgreSQL's first message, which says that it is 1 GiB long."""
    return struct.pack("!II", 1 << 30, 196608) + b"user\0x\0" * 2000
