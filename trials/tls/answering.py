"""A backend that answers each request of HTTP and keeps the connection: checkers of TLS ask for pages, several on one connection."""
import socketserver
import threading

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Type: text/plain\r\n\r\nok\n"


class _Conversation(socketserver.BaseRequestHandler):
    def handle(self):
        pending = b""
        while True:
            try:
                received = self.request.recv(65536)
                if not received:
                    return
                pending += received
                while b"\r\n\r\n" in pending or b"\n\n" in pending:
                    end = min(at + size for at, size in ((pending.find(b"\r\n\r\n"), 4), (pending.find(b"\n\n"), 2)) if at >= 0)
                    pending = pending[end:]
                    self.request.sendall(ANSWER)
            except OSError:
                return


class AnsweringBackend(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()
