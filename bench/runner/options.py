"""The two kinds of run, and their command line."""
import argparse
import dataclasses
import os
import pathlib

from .registry import entries
from .subjects.direct import Direct
from .subjects.envoy import Envoy
from .subjects.haproxy import HAProxy
from .subjects.nginx import Nginx

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
PEERS = {"haproxy": HAProxy, "nginx": Nginx, "envoy": Envoy, "direct": Direct}


@dataclasses.dataclass(frozen=True)
class Mode:
    name: str  # of the sizes in the registry
    program: str
    says: str
    peers: tuple
    publishes: bool  # whether whole runs are to be committed


SMOKE = Mode("smoke", "bench/smoke", "A short benchmark of sluice beside HAProxy.", ("haproxy",), False)
FULL = Mode("full", "bench/run", "The benchmark of sluice beside all peers.", ("haproxy", "nginx", "envoy"), True)


def _names(allowed):
    def parse(text):
        names = list(dict.fromkeys(name for name in text.split(",") if name))
        for name in names:
            if name not in allowed:
                raise argparse.ArgumentTypeError(f"'{name}'; allowed: {', '.join(allowed)}")
        return names
    return parse


def _positive(text):
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}'; allowed: a whole number from 1 on")
    return int(text)


def _check(parser, options):
    """What no run can come of, before one begins."""
    if not options.only:
        parser.error("argument --only: no measure is named")
    if options.no_sluice and not options.against and not options.peer:
        parser.error("nothing to measure: --no-sluice and no --peer")
    for flag, path in ("--sluice", None if options.no_sluice else options.sluice), ("--against", options.against):
        if path and not (path.is_file() and os.access(path, os.X_OK)):
            parser.error(f"argument {flag}: {path} is not a program; `make build` builds sluice")


def parse(mode, arguments):
    """Flags, and whether they leave the run whole: all measures, subjects and rounds."""
    names = [measure.name for measure, _ in entries(mode.name)]
    parser = argparse.ArgumentParser(prog=mode.program, description=f"{mode.says} It fails when it can't complete or data "
                                     "comes out wrong, never because of a figure.")
    parser.add_argument("--sluice", metavar="PATH", type=pathlib.Path, default=REPOSITORY / ".build/release/sluice")
    parser.add_argument("--no-sluice", action="store_true", help="the peers alone")
    parser.add_argument("--against", metavar="PATH", type=pathlib.Path, help="a second sluice binary, measured in turn")
    parser.add_argument("--peer", metavar="NAMES", type=_names(PEERS), default=list(mode.peers),
                        help=f"by comma, of: {', '.join(PEERS)} (default: {','.join(mode.peers)})")
    parser.add_argument("--only", metavar="NAMES", type=_names(names), default=names, help=f"by comma, of: {', '.join(names)}")
    parser.add_argument("--rounds", metavar="N", type=_positive, help="rounds of every measure that has several")
    parser.add_argument("--transfer-mib", metavar="N", type=_positive, default=1024, help="size of a transfer (default: 1024)")
    parser.add_argument("--debian", metavar="DIR", type=pathlib.Path,
                        help="measure sluice, HAProxy and nginx with the programs and libraries of the Debian release in "
                        "DIR (see scripts/debian-root), so with its OpenSSL")
    parser.add_argument("--output", metavar="DIR", type=pathlib.Path, default=REPOSITORY / ".build/bench",
                        help="for results, logs and what is built (default: .build/bench)")
    options = parser.parse_args(arguments)
    _check(parser, options)
    cut = ("no_sluice", "against", "peer", "only", "rounds", "transfer_mib")
    options.whole = all(getattr(options, name) == parser.get_default(name) for name in cut)
    return options
