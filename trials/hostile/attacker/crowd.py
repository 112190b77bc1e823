"""Many connections at a time on one epoll: each says something, and another takes the place of one that has ended."""
import dataclasses
import errno
import random
import select
import socket
import struct
import time

_OPENING = select.EPOLLOUT
_RESET = struct.pack("ii", 1, 0)
_NOTHING_YET = errno.EINPROGRESS, errno.EAGAIN


@dataclasses.dataclass
class Manner:
    """How the connections of a crowd behave."""

    says: bytes = b""
    drip_s: float = 0        # seconds between two bytes of it; 0: all at once
    answer: bytes = b""      # what is said once the gateway has sent something
    reads: bool = True
    leaves: str = ""         # "reset" or "fin": at once when everything is said; nothing: stays until it is ended
    receive_buffer: int = 0


@dataclasses.dataclass
class Report:
    begun: int = 0
    connected: int = 0
    answered: int = 0        # the gateway sent something
    ended: dict = dataclasses.field(default_factory=dict)

    def end(self, how):
        self.ended[how] = self.ended.get(how, 0) + 1

    def as_dict(self):
        return dataclasses.asdict(self)


class _Member:
    __slots__ = "socket", "said", "answered", "is_open", "next_byte"

    def __init__(self, sock):
        self.socket, self.said, self.answered, self.is_open, self.next_byte = sock, 0, False, False, 0.0


class Crowd:
    """`at_once` connections, `in_all` at most (0: no end), `rate` new ones a second at most (0: as fast as it goes)."""

    def __init__(self, target, manner, at_once, in_all=0, rate=0, sources=()):
        self.report = Report()
        self._target, self._manner, self._at_once, self._in_all, self._rate = target, manner, at_once, in_all, rate
        self._sources = list(sources)
        self._members, self._drips = {}, []
        self._epoll = select.epoll()
        self._started = time.monotonic()

    def turn(self, seconds):
        """Goes on for that long at most, and less where something happened."""
        self._fill()
        # Where they come at a rate, they come one by one, and not as many at once as a turn may be long.
        for descriptor, events in self._epoll.poll(min(seconds, 1 / self._rate if self._rate else 0.02), 512):
            member = self._members.get(descriptor)
            if member:
                self._serve(member, events)
        if self._manner.drip_s:
            self._drip()

    @property
    def held(self):
        return len(self._members)

    @property
    def is_over(self):
        return self._in_all and self.report.begun >= self._in_all and not self._members

    def leave(self):
        """Closes what is left, from this side."""
        for member in list(self._members.values()):
            self._end(member, "left")

    # MARK: connections that come

    def _fill(self):
        room = min(self._at_once - len(self._members), 256)
        if self._rate:
            room = min(room, int((time.monotonic() - self._started) * self._rate) - self.report.begun)
        if self._in_all:
            room = min(room, self._in_all - self.report.begun)
        for _ in range(room):
            self._begin()

    def _begin(self):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.report.begun += 1
        if self._manner.receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._manner.receive_buffer)
        if self._sources:
            sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            sock.bind((random.choice(self._sources), 0))
        result = sock.connect_ex(self._target)
        if result and result not in _NOTHING_YET:
            sock.close()
            return self.report.end(errno.errorcode.get(result, str(result)))
        self._members[sock.fileno()] = _Member(sock)
        self._epoll.register(sock.fileno(), _OPENING)

    # MARK: connections that are there

    def _serve(self, member, events):
        if not member.is_open:
            problem = member.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if problem:
                return self._end(member, errno.errorcode.get(problem, str(problem)))
            member.is_open = True
            self.report.connected += 1
            wanted = select.EPOLLIN if self._manner.reads else 0
            self._epoll.modify(member.socket.fileno(), wanted)
            if self._manner.drip_s:
                self._drips.append(member)
            else:
                self._say(member, self._manner.says)
            return
        if self._manner.reads and events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            self._read(member)
        elif events & (select.EPOLLHUP | select.EPOLLERR):
            self._end(member, "reset" if events & select.EPOLLERR else "hung up")

    def _say(self, member, data):
        try:
            if data:
                member.socket.send(data)
        except BlockingIOError:
            pass
        except OSError as error:
            return self._end(member, errno.errorcode.get(error.errno, "error"))
        if self._manner.leaves and not self._manner.answer:
            self._leave(member)

    def _leave(self, member):
        if self._manner.leaves == "reset":
            member.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._end(member, "left")

    def _read(self, member):
        try:
            data = member.socket.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            return self._end(member, "reset" if error.errno == errno.ECONNRESET else errno.errorcode[error.errno])
        if not data:
            return self._end(member, "fin")
        if not member.answered:
            member.answered = True
            self.report.answered += 1
            if self._manner.answer:
                self._say(member, self._manner.answer)
                if self._manner.leaves and member.socket.fileno() >= 0:
                    self._leave(member)

    def _drip(self):
        now = time.monotonic()
        for member in self._drips:
            if member.is_open and member.said < len(self._manner.says) and now >= member.next_byte:
                member.next_byte = now + self._manner.drip_s
                member.said += 1
                self._say(member, self._manner.says[member.said - 1:member.said])
        self._drips = [member for member in self._drips if member.is_open]

    def _end(self, member, how):
        member.is_open = False
        del self._members[member.socket.fileno()]
        member.socket.close()
        self.report.end(how)
