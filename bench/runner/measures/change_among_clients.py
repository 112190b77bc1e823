"""The clients of a changing route: a steady flow of new ones, and some that stay."""
import dataclasses
import socket
import time

from ..failure import Failure
from ..hello import client_hello
from ..subjects.names.named import host_name

POLL_S = 0.0002
PATIENCE_S = 3
HANDSHAKE = b"\x16"  # the first byte of a ClientHello, which the echo backend sends back


@dataclasses.dataclass
class Change:
    """Seconds since a change was handed over, and counts of connections."""

    first: float | None = None  # when the new backend first answered
    last_old: float = 0  # when the old one last did
    broken: int = 0
    refused: int = 0  # of these, those after `first`


class Flow:
    """New connections by the changed route's name, one after the other; who answers is known by the first byte."""

    def __init__(self, port, index):
        self._address, self._hello = ("127.0.0.1", port), client_hello(host_name(index))
        self._before = HANDSHAKE

    def follow(self, hand_over, expected, calm, patience):
        """Hands a change over, and goes on until `calm` seconds after the last connection that did not reach the new backend."""
        change, expected, stirred = Change(), expected.encode(), 0
        start = time.perf_counter()
        hand_over()
        while True:
            answer = self._answer()
            now = time.perf_counter() - start
            if answer == expected:
                change.first = now if change.first is None else change.first
            else:
                self._note(change, answer, now)
            stirred = now if answer != expected or change.first == now else stirred
            if now > patience or change.first is not None and now - stirred > calm:
                self._before = expected
                return change
            time.sleep(POLL_S)

    def _note(self, change, answer, now):
        if answer == self._before:
            change.last_old = now
        elif answer == b"":
            change.broken += 1
            change.refused += change.first is not None
        else:
            raise Failure(f"a connection by the changed name reached neither of its backends: {answer!r}")

    def _answer(self):
        try:
            with socket.create_connection(self._address, timeout=PATIENCE_S) as connection:
                connection.sendall(self._hello)
                return connection.recv(1)
        except OSError:
            return b""


class Held:
    """Established connections to the echo backend, which have to work whatever changes."""

    def __init__(self, named, indices):
        self._named, self._indices = named, indices
        self._connections = []

    def __enter__(self):
        try:
            for index in self._indices:
                self._connections.append(socket.create_connection(("127.0.0.1", self._named.port), timeout=PATIENCE_S))
                if not _echoes(self._connections[-1], client_hello(host_name(index))):
                    raise Failure(f"{self._named.subject.name} does not serve {host_name(index)}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for connection in self._connections:
            connection.close()

    def count_broken(self):
        """How many no longer work; these are given up."""
        broken = [connection for connection in self._connections if not _echoes(connection, b"still there")]
        for connection in broken:
            connection.close()
            self._connections.remove(connection)
        return len(broken)


def _echoes(connection, message):
    try:
        connection.sendall(message)
        return connection.recv(len(message), socket.MSG_WAITALL) == message
    except OSError:
        return False
