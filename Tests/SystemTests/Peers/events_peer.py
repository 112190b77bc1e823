"""Server-sent events one by one: `server` prints the ports of HTTP and of acknowledgements; `client PORT ACKPORT CA NAME`.

The server sends an event only after the client has acknowledged the one before, on a connection that does not pass the
gateway: an event that waits somewhere for company never arrives.
"""
import http.client
import http.server
import socket
import ssl
import sys
import threading

EVENTS = 50


def serve():
    acknowledgements = socket.create_server(("127.0.0.1", 0))

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.flush()
            peer, _ = acknowledgements.accept()
            with peer, peer.makefile("r") as lines:
                for number in range(EVENTS):
                    self.wfile.write(f"id: {number}\ndata: event {number}\n\n".encode())
                    self.wfile.flush()
                    assert lines.readline() == f"{number}\n"
            self.close_connection = True

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print("ports", server.server_port, acknowledgements.getsockname()[1], flush=True)
    server.serve_forever()


def listen(port, acknowledge, authority, name):
    context = ssl.create_default_context(cafile=authority)
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection = http.client.HTTPSConnection(name, context=context)
    connection.sock = context.wrap_socket(plain, server_hostname=name)
    connection.request("GET", "/events")
    response = connection.getresponse()
    assert response.getheader("Content-Type") == "text/event-stream"
    direct = socket.create_connection(("127.0.0.1", acknowledge), timeout=10)
    for number in range(EVENTS):
        event = [response.readline() for _ in range(3)]
        assert event == [b"id: %d\n" % number, b"data: event %d\n" % number, b"\n"], event
        direct.sendall(b"%d\n" % number)
    assert response.read() == b"", "bytes after the last event"
    print("received", EVENTS, "events")


serve() if sys.argv[1] == "server" else listen(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5])
