"""What a client tells its backend at the start of a connection, and how the backend answers.

A client begins with a Wish, and says in it how many bytes go each way and what the backend is to do. The backend answers with a
Greeting, which says who it is and whom it takes the client for; then come bytes of patterns that both know. A backend that has
seen the whole upload and its end says so last, in a receipt."""
import dataclasses
import enum
import struct

_WISH = struct.Struct("!4sQQQBBQI")
_GREETING = struct.Struct("!4s16s24s")
_RECEIPT = struct.Struct("!4sQ")
WISH_SIZE, GREETING_SIZE, RECEIPT_SIZE = _WISH.size, _GREETING.size, _RECEIPT.size


class Act(enum.IntEnum):
    SERVE = 0  # sends the download at once, whatever comes
    CHAT = 1  # answers each message with one of the same size
    RESET = 2  # sends `at` bytes of the download, then RST
    CUT = 3  # sends `at` bytes of the download, then FIN, without close_notify where it is TLS


@dataclasses.dataclass(frozen=True)
class Wish:
    seed: int
    upload: int
    download: int
    act: Act = Act.SERVE
    backend_ends_first: bool = False
    unfinished: bool = False  # the client means to leave before its upload is whole
    at: int = 0
    message: int = 0

    def encoded(self):
        flags = self.backend_ends_first | self.unfinished << 1
        return _WISH.pack(b"WISH", self.seed, self.upload, self.download, self.act, flags, self.at, self.message)

    @classmethod
    def of(cls, data):
        magic, seed, upload, download, act, flags, at, message = _WISH.unpack(data)
        if magic != b"WISH":
            raise ValueError(f"no wish: {data!r}")
        return cls(seed, upload, download, Act(act), bool(flags & 1), bool(flags & 2), at, message)

    @property
    def upload_seed(self):
        return self.seed

    @property
    def download_seed(self):
        return self.seed * 7 + 524287


def greeting(identity, source):
    return _GREETING.pack(b"SOAK", identity.encode(), source.encode())


def read_greeting(data):
    """(Who the backend is, whom it takes the client for.)"""
    magic, identity, source = _GREETING.unpack(data)
    if magic != b"SOAK":
        raise ValueError(f"no greeting: {data!r}")
    return identity.rstrip(b"\0").decode(), source.rstrip(b"\0").decode()


def receipt(received):
    return _RECEIPT.pack(b"DONE", received)
