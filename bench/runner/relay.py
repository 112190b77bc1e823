"""A TCP relay that can be told to do wrong, to prove that the load generator notices."""
import socket
import threading

FAULTS = ["corrupt", "truncate", "end-both", "lose"]


class Relay:
    """Relays one connection to a port, with a fault after `at` bytes of the direction towards the client, or the backend."""

    def __init__(self, port, fault=None, at=0, towards="client"):
        self._to, self._fault, self._at = port, fault, at
        self._towards = towards
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._relay, daemon=True)]
        self._threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _relay(self):
        client, _ = self._listener.accept()
        backend = socket.create_connection(("127.0.0.1", self._to))
        other = threading.Thread(target=self._pump, args=(client, backend, self._fault_towards("backend")), daemon=True)
        other.start()
        self._pump(backend, client, self._fault_towards("client"))
        other.join(5)
        client.close()
        backend.close()

    def _fault_towards(self, end):
        return self._fault if self._towards == end else None

    def _pump(self, source, sink, fault):
        passed = 0
        try:
            while data := source.recv(256 * 1024):
                if fault in ("corrupt", "truncate", "lose") and passed <= self._at < passed + len(data):
                    if fault == "truncate":
                        data = data[:self._at - passed]
                    elif fault == "lose":
                        data = data[:self._at - passed] + data[self._at - passed + 1:]
                    else:
                        data = bytearray(data)
                        data[self._at - passed] ^= 1
                sink.sendall(data)
                passed += len(data)
                if fault == "truncate" and passed >= self._at:
                    break
            # The mistake of a proxy that takes the end of one direction for the end of both. First, or the backend's
            # answer to the end could still slip through.
            if self._fault == "end-both":
                source.shutdown(socket.SHUT_RDWR)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
