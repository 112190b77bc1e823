"""What systemd does for a service, as far as sockets go: sd_notify(3), the store of descriptors, sd_listen_fds(3)."""
import array
import fcntl
import os
import signal
import socket
import threading
import time

FIRST = 3


class ServiceManager:
    """Runs one service. `folder`: of its socket; `command`: with the arguments; `stores`: FileDescriptorStoreMax= is not 0."""

    def __init__(self, folder, command, stores=True, environment=None):
        self.command, self.stores, self.environment = command, stores, environment or {}
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.log = open(os.path.join(folder, "service.log"), "ab")
        self.said, self.store, self.first, self.main = [], {}, None, None
        self.changed = threading.Condition()
        threading.Thread(target=self.listen, daemon=True).start()

    def start(self, *sockets):
        """Starts the service with sockets of its socket units, and those that it stored."""
        given = [(one.fileno(), "unit") for one in sockets]
        given += [(fd, name) for name, fds in self.store.items() for fd in fds]
        environment = os.environ | self.environment | {"NOTIFY_SOCKET": self.path}
        if given:
            names = ":".join(name for _, name in given)
            environment |= {"LISTEN_FDS": str(len(given)), "LISTEN_FDNAMES": names}
        # Above all places, so that none is overwritten before it is copied there.
        copies = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 500) for fd, _ in given]
        actions = [(os.POSIX_SPAWN_DUP2, self.log.fileno(), 1), (os.POSIX_SPAWN_DUP2, self.log.fileno(), 2)]
        actions += [(os.POSIX_SPAWN_DUP2, fd, FIRST + number) for number, fd in enumerate(copies)]
        # exec keeps the pid, which nobody knows before.
        script = ("export LISTEN_PID=$$; " if given else "") + 'exec "$@"'
        self.first = self.main = os.posix_spawn(
            "/bin/sh", ["/bin/sh", "-c", script, "sh"] + self.command, environment, file_actions=actions)
        for fd in copies:
            os.close(fd)

    def listen(self):
        room = socket.CMSG_SPACE(253 * 4)
        while True:
            data, control, _, _ = self.socket.recvmsg(65536, room, socket.MSG_CMSG_CLOEXEC)
            fds = array.array("i")
            for level, kind, content in control:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    fds.frombytes(content)
            with self.changed:
                self.take(data.decode().splitlines(), list(fds))
                self.changed.notify_all()

    def take(self, lines, fds):
        fields = dict(line.split("=", 1) for line in lines)
        self.said.append(fields)
        name = fields.get("FDNAME", "stored")
        if "MAINPID" in fields:
            self.main = int(fields["MAINPID"])
        if "FDSTOREREMOVE" in fields:
            for fd in self.store.pop(name, []):
                os.close(fd)
        kept = self.store.setdefault(name, []) if fields.get("FDSTORE") == "1" and self.stores else []
        known = {os.fstat(fd).st_ino for fd in kept}
        for fd in fds:
            if fields.get("FDSTORE") == "1" and self.stores and os.fstat(fd).st_ino not in known:
                known.add(os.fstat(fd).st_ino)
                kept.append(fd)
            else:
                os.close(fd)

    def wait(self, condition, what, seconds=20):
        with self.changed:
            if not self.changed.wait_for(condition, seconds):
                raise AssertionError(f"no {what}: {self.said}; {self.text()}")

    def count(self, line):
        key, value = line.split("=", 1)
        return sum(fields.get(key) == value for fields in self.said)

    def signal(self, number):
        os.kill(self.main, number)

    def text(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def ending(self, seconds=20):
        """The exit code of the process that was started first, or minus its signal."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.first, os.WNOHANG)
            if pid:
                self.first = None
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        raise AssertionError(f"{self.first} does not end: {self.text()}")

    def end(self):
        """Ends what it started, and what that started."""
        for pid in {self.main, self.first} - {None}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
