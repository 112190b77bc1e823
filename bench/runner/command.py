"""The command line, and the order of a run."""
import argparse
import dataclasses
import datetime
import pathlib
import signal
import sys
import time

from . import certificates, load, machine, report
from .backends import Backends
from .failure import Failure
from .processes import Processes
from .registry import entries
from .rounds import Rounds
from .scene import Scene
from .selftest import prove
from .subjects.direct import Direct
from .subjects.envoy import Envoy
from .subjects.haproxy import HAProxy
from .subjects.nginx import Nginx
from .subjects.sluice import Sluice

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
PEERS = {"haproxy": HAProxy, "nginx": Nginx, "envoy": Envoy, "direct": Direct}


@dataclasses.dataclass(frozen=True)
class Mode:
    name: str  # of the sizes in the registry
    program: str
    says: str
    peers: tuple


SMOKE = Mode("smoke", "bench/smoke", "A short benchmark of sluice beside HAProxy.", ("haproxy",))
FULL = Mode("full", "bench/run", "The benchmark of sluice beside all peers.", ("haproxy", "nginx", "envoy"))


def _names(allowed):
    def parse(text):
        names = [name for name in text.split(",") if name]
        for name in names:
            if name not in allowed:
                raise argparse.ArgumentTypeError(f"'{name}'; allowed: {', '.join(allowed)}")
        return names
    return parse


def _parse(mode, arguments):
    names = [measure.name for measure, _ in entries(mode.name)]
    parser = argparse.ArgumentParser(prog=mode.program, description=f"{mode.says} It fails when it can't complete or data "
                                     "comes out wrong, never because of a figure.")
    parser.add_argument("--sluice", metavar="PATH", type=pathlib.Path, default=REPOSITORY / ".build/release/sluice")
    parser.add_argument("--no-sluice", action="store_true", help="the peers alone")
    parser.add_argument("--against", metavar="PATH", type=pathlib.Path, help="a second sluice binary, measured in turn")
    parser.add_argument("--peer", metavar="NAMES", type=_names(PEERS), default=list(mode.peers),
                        help=f"by comma, of: {', '.join(PEERS)} (default: {','.join(mode.peers)})")
    parser.add_argument("--only", metavar="NAMES", type=_names(names), default=names, help=f"by comma, of: {', '.join(names)}")
    parser.add_argument("--rounds", metavar="N", type=int, help="rounds of every measure that has several")
    parser.add_argument("--transfer-mib", metavar="N", type=int, default=1024, help="size of a transfer (default: 1024)")
    parser.add_argument("--output", metavar="DIR", type=pathlib.Path, default=REPOSITORY / ".build/bench")
    return parser.parse_args(arguments)


def _subjects(options, scene):
    made = []
    if not options.no_sluice:
        made.append(Sluice(scene, scene.folder / "sluice", options.sluice.resolve()))
    if options.against:
        made.append(Sluice(scene, scene.folder / "against", options.against.resolve(), "against"))
    made += [PEERS[name](scene, scene.folder / name) for name in options.peer]
    if not made:
        raise Failure("nothing to measure: --no-sluice and no --peer")
    return made


def _pairs(subjects):
    """Sluice beside every other, and an older sluice beside the peers."""
    names = [subject.name for subject in subjects]
    ours = [name for name in ("sluice", "against") if name in names]
    return [(mine, other) for index, mine in enumerate(ours) for other in names
            if other not in (*ours[:index + 1], "direct")]


def _measures(mode, options, scene):
    chosen = [measure(scene, **sizes) for measure, sizes in entries(mode.name) if measure.name in options.only]
    for measure in chosen:
        if options.rounds and measure.rounds > 1:
            measure.rounds = options.rounds
    return chosen


def _run(mode, options):
    date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    options.output.mkdir(parents=True, exist_ok=True)
    output = options.output.resolve()
    binary = load.build(output)
    folder = output / date
    folder.mkdir()
    start, load_before = time.monotonic(), machine.load_average()
    with Processes(folder) as processes:
        scene = Scene(folder, processes, load.Load(binary, processes), certificates.Certificates(folder / "certificates"),
                      transfer_bytes=options.transfer_mib << 20)
        prove(scene)
        subjects, measures = _subjects(options, scene), _measures(mode, options, scene)
        versions = {subject.name: subject.version() for subject in subjects}
        scene.backends = Backends(scene.load, processes, scene.certificates)
        measured = Rounds(measures, subjects)
    result = {
        "date": date, "machine": machine.describe(REPOSITORY), "versions": versions,
        "rounds": measured.values, "failures": measured.failures,
        "commands": report.commands(processes.commands), "folder": str(folder), "seconds": time.monotonic() - start,
        "load_before": load_before, "load_after": machine.load_average(),
    }
    report.write_json(output / f"{date}.json", result)
    print(report.markdown(result, measures, [subject.name for subject in subjects], _pairs(subjects)))
    return 1 if measured.failures else 0


def main(mode, arguments=None):
    options = _parse(mode, arguments)
    # SIGTERM unwinds like Ctrl-C, so that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return _run(mode, options)
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
