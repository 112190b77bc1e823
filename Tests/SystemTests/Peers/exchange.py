"""`ADDRESS PORT`: connects, prints the greeting line, and expects what it sends to come back. Used inside namespaces."""
import socket
import sys

with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10) as connection:
    with connection.makefile("rwb") as stream:
        print(stream.readline().decode().rstrip())
        stream.write(b"to and fro\n")
        stream.flush()
        print(stream.readline().decode().rstrip())
