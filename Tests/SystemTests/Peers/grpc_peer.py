"""gRPC without generated code: `server` (h2c, prints its port), or `client PORT CA AUTHORITY` through TLS.

Every message of the stream is answered before the next is sent, so anything that holds a message back is a timeout.
"""
import sys
from concurrent import futures

import grpc

UNARY = "/test.Echo/Unary"
STREAM = "/test.Echo/Stream"


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method == UNARY:
            return grpc.unary_unary_rpc_method_handler(lambda request, context: b"unary:" + request)
        if details.method == STREAM:
            return grpc.stream_stream_rpc_method_handler(self.stream)
        return None

    @staticmethod
    def stream(requests, context):
        for number, request in enumerate(requests):
            yield b"%d:" % number + request


def serve():
    server = grpc.server(futures.ThreadPoolExecutor(8), handlers=(Handler(),))
    print("port", server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()


def call(port, authority_file, authority):
    with open(authority_file, "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    options = [("grpc.ssl_target_name_override", authority), ("grpc.enable_http_proxy", 0)]
    with grpc.secure_channel(f"127.0.0.1:{port}", credentials, options) as channel:
        unary = channel.unary_unary(UNARY)
        print("unary", unary(b"hello", timeout=10).decode())
        large = unary(b"x" * 3_000_000, timeout=20)
        assert large == b"unary:" + b"x" * 3_000_000, "the large message came back changed"
        print("large", len(large))

        answered = futures.ThreadPoolExecutor(1)
        turn = __import__("queue").Queue()
        answers = channel.stream_stream(STREAM)(iter(turn.get, None), timeout=20)
        for number in range(100):
            turn.put(b"message %d" % number)
            answer = answered.submit(next, answers).result(timeout=10)
            assert answer == b"%d:message %d" % (number, number), answer
        turn.put(None)
        assert next(answers, None) is None, "the stream went on"
        print("stream", number + 1, "status", answers.code().name)


if sys.argv[1] == "server":
    serve()
else:
    call(int(sys.argv[2]), sys.argv[3], sys.argv[4])
