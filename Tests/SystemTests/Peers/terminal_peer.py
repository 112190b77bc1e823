"""Runs a program in a pseudo-terminal and does what standard input says, a JSON value a line; answers each with a JSON line.

    {"wait": ["text", ...]}       until the screen has all of them (at most 30 s): its lines
    {"keys": "text"}              types them
    {"resize": [columns, rows]}   the terminal has another size from now on, and the screen is empty
    {"signal": number}            to the program
    {"end": true}                 waits for its end: exit code, whether the terminal's settings are as they were, and whether the
                                  cursor, the wrapping and the first screen are back

    terminal_peer.py COLUMNS ROWS COMMAND...
"""
import fcntl
import json
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time

PATIENCE = 30
# A sequence with its end, or a character.
PART = re.compile(rb"\x1b\[([?]?[0-9;]*)([A-Za-z])|\r|\n|[^\x1b\r\n]|\x1b", re.S)


class Screen:
    """As much of a terminal as the program uses."""

    def __init__(self, columns, rows):
        self.modes = {}
        self.resize(columns, rows)

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.lines = [b""] * rows
        self.row = self.column = 0

    def feed(self, data):
        for part in PART.finditer(data):
            if part[2] is None:
                self.put(part[0])
            elif part[1].startswith(b"?"):
                self.modes[part[1].decode()] = part[2] == b"h"
            elif part[2] == b"H":
                self.row = self.column = 0
            elif part[2] == b"K":
                self.lines[self.row] = self.lines[self.row][:self.column]
            elif part[2] == b"J":
                self.lines[self.row] = self.lines[self.row][:self.column]
                self.lines[self.row + 1:] = [b""] * (self.rows - self.row - 1)

    def put(self, part):
        if part == b"\r":
            self.column = 0
        elif part == b"\n":
            assert self.row + 1 < self.rows, "a line below the screen"
            self.row += 1
        else:
            assert self.column < self.columns, "a line is longer than the screen is wide"
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[:self.column] + part + line[self.column + 1:]
            self.column += 1

    def text(self):
        return [line.decode(errors="replace").rstrip() for line in self.lines]


class Terminal:
    def __init__(self, columns, rows, command):
        self.ours, theirs = os.openpty()
        self.theirs = theirs
        self.screen = Screen(columns, rows)
        self.set_size(columns, rows)
        self.before = termios.tcgetattr(theirs)
        self.program = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def set_size(self, columns, rows):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        if select.select([self.ours], [], [], seconds)[0]:
            self.screen.feed(os.read(self.ours, 1 << 16))
            return True
        return False

    def wait(self, texts):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            lines = self.screen.text()
            if all(any(text in line for line in lines) for text in texts):
                return {"lines": lines}
            if not self.read(0.1) and self.program.poll() is not None:
                break
        return {"missing": texts, "lines": self.screen.text(), "code": self.program.poll()}

    def end(self):
        deadline = time.monotonic() + PATIENCE
        while self.program.poll() is None and time.monotonic() < deadline:
            self.read(0.05)
        while self.read(0.1):
            pass
        modes = self.screen.modes
        return {
            "code": self.program.poll(), "settings": termios.tcgetattr(self.theirs) == self.before,
            "modes": modes.get("?25", True) and modes.get("?7", True) and not modes.get("?1049", False),
            "tookScreen": "?1049" in modes, "lines": self.screen.text(),
        }

    def obey(self, order):
        if "wait" in order:
            return self.wait(order["wait"])
        if "keys" in order:
            os.write(self.ours, order["keys"].encode())
        elif "resize" in order:
            self.screen.resize(*order["resize"])
            self.set_size(*order["resize"])
        elif "signal" in order:
            self.program.send_signal(order["signal"])
        elif "end" in order:
            return self.end()
        return {}


def main():
    terminal = Terminal(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
    try:
        for line in sys.stdin:
            print(json.dumps(terminal.obey(json.loads(line))), flush=True)
    finally:
        if terminal.program.poll() is None:
            terminal.program.kill()


if __name__ == "__main__":
    main()
