"""The project's Markdown, taken apart: fences with what stands before them, links, anchors."""
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {".git", ".build", "node_modules"}
FENCE = re.compile(r"^(\s*)```(.*)$")
MARKER = re.compile(r"^<!-- (not run|run by): (.+) -->$")
PRESUPPOSED = re.compile(r"^<!-- there are: (.+) -->$")
HEADING = re.compile(r"^#{1,6} +(.*?)\s*$")
LINK = re.compile(r"\]\(([^()\s]+)\)|(?:href|src|srcset)=\"([^\"]+)\"")


@dataclass
class Fence:
    line: int
    info: str
    text: str
    marker: str = ""
    reason: str = ""
    expected: "Fence | None" = field(default=None, repr=False)


class Page:
    def __init__(self, path):
        self.path = path
        self.name = str(path.relative_to(ROOT))
        self.fences, self.prose = split(path.read_text(encoding="utf-8").split("\n"))

    @property
    def is_of_folders(self):
        """Whether each yaml fence stands for itself, rather than all of them for one folder."""
        return any(line.strip() == "<!-- each yaml fence is a folder of its own -->" for _, line in self.prose)

    @property
    def presupposed(self):
        """What the page's manifests find in the cluster: kind, namespace, name, port."""
        for _, line in self.prose:
            if match := PRESUPPOSED.match(line.strip()):
                for item in match.group(1).split(", "):
                    kind, path = item.split(" ")
                    namespace, _, name = path.partition("/")
                    name, _, port = name.partition(":")
                    yield kind, namespace, name, port

    def of(self, *infos):
        return [fence for fence in self.fences if fence.info in infos]

    def links(self):
        for number, line in self.prose:
            for match in LINK.finditer(re.sub(r"`[^`]*`", "", line)):
                yield number, match.group(1) or match.group(2)

    def anchors(self):
        seen = {}
        for _, line in self.prose:
            if match := HEADING.match(line):
                slug = anchor(match.group(1))
                count = seen.get(slug, 0)
                seen[slug] = count + 1
                yield f"{slug}-{count}" if count else slug
            yield from re.findall(r"<a (?:id|name)=\"([^\"]+)\"", line)


def anchor(heading):
    """What GitHub makes of a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def split(lines):
    fences, prose, number = [], [], 0
    while number < len(lines):
        opening = FENCE.match(lines[number])
        if not opening:
            prose.append((number + 1, lines[number]))
            number += 1
            continue
        indent, start = len(opening.group(1)), number
        number += 1
        while number < len(lines) and lines[number].strip() != "```":
            number += 1
        if number == len(lines):
            raise ValueError(f"line {start + 1}: the fence has no end")
        text = "\n".join(line[indent:] for line in lines[start + 1:number])
        fence = Fence(start + 1, opening.group(2).strip(), text)
        before = next((line for _, line in reversed(prose) if line.strip()), "").strip()
        if match := MARKER.match(before):
            # A marker is for the one fence below it.
            if not fences or fences[-1].line < last_marker_line(prose):
                fence.marker, fence.reason = match.groups()
        if fence.info == "text" and fences and fences[-1].info == "sh":
            fences[-1].expected = fence
        fences.append(fence)
        number += 1
    return fences, prose


def last_marker_line(prose):
    return next(number for number, line in reversed(prose) if line.strip())


def all_pages():
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in SKIPPED]
        found += [Path(folder) / name for name in files if name.endswith(".md")]
    return [Page(path) for path in sorted(found)]
