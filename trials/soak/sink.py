"""Where events of closed connections go: a server that fails now and then, as servers do."""
import http.server
import json
import threading


class Sink:
    """Counts events once each, by id; hands the id of each connection to `seen`."""

    def __init__(self, seen):
        self.events = self.batches = self.failures = self.repeated = 0
        self._seen, self._ids = seen, set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer._take(body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/events"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _take(self, body):
        self.batches += 1
        if self.batches % 20 == 10:
            self.failures += 1
            return 503
        for event in json.loads(body):
            if event["id"] in self._ids:
                self.repeated += 1
                continue
            self._ids.add(event["id"])
            self.events += 1
            self._seen(event["data"]["connection_id"])
        return 200
