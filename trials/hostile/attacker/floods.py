"""Floods inside an established TLS session: records that were made ready before the first is sent."""
import ssl
import threading

from .records import ALERT, DATA, HANDSHAKE, Session

# A ClientHello's beginning: asking to negotiate anew is a record like any other.
_NEGOTIATE_ANEW = b"\x01\x00\x00\x02\x03\x03"


def _key_updates(session, count):
    return b"".join(session.key_update() for _ in range(count))


def _asking_key_updates(session, count):
    return b"".join(session.key_update(asks=True) for _ in range(count))


def _key_updates_and_bytes(session, count):
    return b"".join(session.key_update() + session.record(DATA, b"x") for _ in range(count))


def _empty(session, count):
    return b"".join(session.record(DATA, b"") for _ in range(count))


def _tiny(session, count):
    return b"".join(session.record(DATA, b"x") for _ in range(count))


def _warnings(session, count):
    return b"".join(session.record(ALERT, b"\x01\x5a") for _ in range(count))  # user_canceled, a warning


def _negotiations(session, count):
    return b"".join(session.record(HANDSHAKE, _NEGOTIATE_ANEW) for _ in range(count))


TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
FLOODS = {
    "key-updates": (TLS13, _key_updates), "key-updates-asking": (TLS13, _asking_key_updates),
    "key-updates-and-bytes": (TLS13, _key_updates_and_bytes),
    "empty-records": (TLS13, _empty), "empty-records-12": (TLS12, _empty),
    "tiny-records": (TLS13, _tiny), "tiny-records-12": (TLS12, _tiny),
    "alerts": (TLS13, _warnings), "alerts-12": (TLS12, _warnings), "renegotiation": (TLS12, _negotiations),
}


class Flood:
    """`sessions` sessions at a time, each of which sends `count` records and begins anew when it is ended."""

    def __init__(self, name, target, sessions, count):
        self._version, self._make = FLOODS[name]
        self._target, self._count = target, count
        self._over, self._lock = threading.Event(), threading.Lock()
        self.ended, self.begun = {}, 0
        self._threads = [threading.Thread(target=self._run, args=(self._prepare(),)) for _ in range(sessions)]

    def _prepare(self):
        session = Session(self._target, "echo.bench.test", self._version)
        with self._lock:
            self.begun += 1
        return session, self._make(session, self._count)

    def start(self):
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def once(self):
        """Each session is sent once and waited for."""
        self._over.set()
        self.start()
        self.stop()

    def _run(self, prepared):
        while True:
            how = self._send(*prepared)
            with self._lock:
                self.ended[how] = self.ended.get(how, 0) + 1
            if self._over.is_set():
                return
            try:
                prepared = self._prepare()
            except OSError:
                return

    def _send(self, session, records):
        """How it ended: by the gateway, or by us once everything was sent and answered."""
        session.socket.settimeout(20)
        reader = threading.Thread(target=_discard, args=(session.socket,))
        reader.start()
        try:
            session.socket.sendall(records)
            session.socket.shutdown(1)
            how = "taken"
        except OSError:
            how = "ended"
        reader.join()
        session.socket.close()
        return how


def _discard(sock):
    try:
        while sock.recv(65536):
            pass
    except OSError:
        pass
