"""A receiver of events: `server MOOD` prints its port, and a line for each event that it took; `check FILE` prints one for each
event of a file. Each is checked by the CloudEvents SDK, and against what its HTTP binding says of batches.

MOOD is a file with what is done next: a status, `close` (the answer is lost, after the events were taken), or `hang`.
"""
import http.server
import json
import sys
import time

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent


def described(document):
    event = JSONFormat().read(CloudEvent, json.dumps(document))
    data = event.get_data()
    assert event.get_datacontenttype() == "application/json" and isinstance(data, dict), document
    assert event.get_time().tzinfo is not None
    return json.dumps({
        "id": event.get_id(), "source": event.get_source(), "type": event.get_type(), "subject": event.get_subject(),
        "connection": data["connection_id"], "reason": data["close_reason"], "event": data["event"],
    })


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        with open(sys.argv[2], encoding="utf-8") as file:
            mood = file.read().strip()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"] == "application/cloudevents-batch+json; charset=utf-8"
        events = [described(document) for document in json.loads(body)]
        if mood == "hang":
            time.sleep(3600)
        if mood in ("close", "200"):
            print("\n".join(f"event {event}" for event in events), flush=True)
        if mood == "close":
            self.close_connection = True
            return
        self.send_response(int(mood))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print("port", server.server_port, flush=True)
    server.serve_forever()


def check(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            print("event", described(json.loads(line)))


if sys.argv[1] == "server":
    serve()
else:
    check(sys.argv[2])
