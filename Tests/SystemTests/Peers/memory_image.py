"""Counts what stands of private keys in the memory of a running process: memory_image.py PID FILE…

A FILE is a private key in PEM, whose secret numbers are looked for as they are, in both byte orders, in PEM's text, and in the base64
that a Secret has of that text; or lines of base64 (keys of tickets, or of caches), looked for as text and as bytes. Of each, three windows. Printed is
JSON: places by form and how much memory was searched. Needs the right to trace the process."""

import base64
import json
import re
import subprocess
import sys

WINDOW = 16
CHUNK = 16 << 20


def regions(pid):
    """What can be written: heaps, stacks, data; not the code and constants of files."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line)
            if found[3].startswith("rw") and not found[4].startswith("[v"):
                yield int(found[1], 16), int(found[2], 16), found[4]


def windows(text, start, end):
    """Three pieces of text[start:end], none of them across the end of a line."""
    pieces = []
    for at in (start, (start + end - WINDOW) // 2, end - WINDOW):
        # Past a line's end that it would meet.
        line_end = text.find(b"\n", at, at + WINDOW)
        at = line_end + 1 if line_end >= 0 else at
        piece = text[at:at + WINDOW]
        if at >= start and at + WINDOW <= end and b"\n" not in piece:
            pieces.append(piece)
    return pieces


def encoded(start, end):
    """Where base64 says nothing but what stands between start and end."""
    return (start + 2) // 3 * 4, end // 3 * 4


def secret_numbers(pem):
    said = subprocess.run(["openssl", "pkey", "-noout", "-text"], input=pem, check=True, capture_output=True).stdout.decode()
    found = re.findall(r"^(priv|privateExponent|prime1|prime2):\n((?:\s+[0-9a-f:]+\n)+)", said, re.MULTILINE)
    return {label: bytes.fromhex(re.sub(r"[^0-9a-f]", "", digits)).lstrip(b"\0") for label, digits in found}


def patterns_of_key(pem):
    begin = pem.index(b"\n", pem.index(b"-----BEGIN")) + 1
    body = pem[begin:pem.index(b"-----END")]
    der = base64.b64decode(body)
    wrapped = base64.b64encode(pem)
    width = body.index(b"\n") + 1
    forms = {"bytes": [], "reversed": [], "pem": [], "base64": []}
    for number in secret_numbers(pem).values():
        place = der.index(number)
        pieces = [number[at:at + WINDOW] for at in (0, (len(number) - WINDOW) // 2, len(number) - WINDOW)]
        forms["bytes"] += pieces
        forms["reversed"] += [piece[::-1] for piece in pieces]
        first, last = (begin + at // (width - 1) * width + at % (width - 1) for at in encoded(place, place + len(number)))
        forms["pem"] += windows(pem, first, last)
        forms["base64"] += windows(wrapped, *encoded(first, last))
    return forms


def patterns_of_lines(text):
    forms = {"text": [], "bytes": []}
    for line in text.split():
        key = base64.b64decode(line)
        # The first 16 bytes of a ticket's key are its name, which every ticket carries.
        begin = 40 if len(key) > 32 else 0
        forms["text"] += [line[begin:begin + 16], line[-24:-8]]
        forms["bytes"] += [key[16:32], key[-32:-16]]
    return forms


def search(pid, forms):
    counts = {form: 0 for form in forms}
    places = []
    total = 0
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, name in regions(pid):
            position, kept = start, b""
            while position < end:
                try:
                    memory.seek(position)
                    chunk = memory.read(min(CHUNK, end - position))
                except OSError:
                    break
                if not chunk:
                    break
                total += len(chunk)
                text = kept + chunk
                for form, pieces in forms.items():
                    for piece in pieces:
                        at = text.find(piece)
                        while at >= 0:
                            # What ends within what was kept was counted with the chunk before.
                            if at + len(piece) > len(kept):
                                counts[form] += 1
                                places.append(f"{form} in {name or 'memory'} at {position - len(kept) + at:#x}")
                            at = text.find(piece, at + 1)
                kept = text[-(WINDOW - 1):]
                position += len(chunk)
    return counts, places, total


def main():
    pid, *files = sys.argv[1:]
    forms = {}
    for path in files:
        with open(path, "rb") as file:
            text = file.read()
        for form, pieces in (patterns_of_key(text) if b"-----BEGIN" in text else patterns_of_lines(text)).items():
            if not pieces:
                sys.exit(f"memory_image: nothing to look for as {form} in {path}")
            forms.setdefault(form, []).extend(pieces)
    counts, places, total = search(int(pid), forms)
    print(json.dumps({"counts": counts, "searched": total, "places": places[:40]}))


if __name__ == "__main__":
    main()
