"""`OUTPUT EXPECTED`: exits with 0 if the lines of EXPECTED are among those of OUTPUT, in order; else says which is not.

Runs of blanks are alike. `…` stands for anything within a line, and alone for any lines.
"""
import re
import sys
from pathlib import Path


def missing(output, expected):
    lines = iter([" ".join(line.split()) for line in output.split("\n")])
    for wanted in filter(None, (" ".join(line.split()) for line in expected.split("\n"))):
        if wanted == "…":
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in wanted.split("…")))
        if not any(pattern.fullmatch(line) for line in lines):
            return wanted
    return ""


if __name__ == "__main__":
    output, expected = (Path(name).read_text(encoding="utf-8", errors="replace") for name in sys.argv[1:3])
    if line := missing(output, expected):
        print(f"the page has this line, and the command did not print it: {line}")
        sys.exit(1)
