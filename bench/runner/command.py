"""The command line, and the order of a run."""
import datetime
import signal
import sys
import time

from . import certificates, load, machine, report, result
from .backends import Backends
from .failure import Failure
from .options import PEERS, REPOSITORY, parse
from .processes import Processes
from .programs import Programs
from .registry import entries
from .rounds import Rounds
from .scene import Scene
from .selftest import prove
from .subjects.sluice import Sluice


def _subjects(options, scene):
    made = []
    if not options.no_sluice:
        made.append(Sluice(scene, scene.folder / "sluice", options.sluice.resolve()))
    if options.against:
        made.append(Sluice(scene, scene.folder / "against", options.against.resolve(), "against"))
    made += [PEERS[name](scene, scene.folder / name) for name in options.peer]
    return made


def _pairs(names):
    """Sluice beside every other, and an older sluice beside the peers."""
    ours = [name for name in ("sluice", "against") if name in names]
    return [(mine, other) for index, mine in enumerate(ours) for other in names
            if other not in (*ours[:index + 1], "direct")]


def _measures(mode, options, scene):
    chosen = [measure(scene, **sizes) for measure, sizes in entries(mode.name) if measure.name in options.only]
    for measure in chosen:
        if options.rounds and measure.rounds > 1:
            measure.rounds = options.rounds
    return chosen


def _versions(subjects, failures):
    """The version of each subject that is there; what is not is a failure, and left out."""
    found = {}
    for subject in subjects:
        try:
            found[subject.name] = subject.version()
        except Failure as failure:
            failures.append(f"{subject.name}: {failure}")
    return found


def _measure(mode, options, folder, processes):
    """Everything between the first process and the last; returns the result so far."""
    binary = load.build(folder.parent)
    scene = Scene(folder, processes, load.Load(binary, processes), certificates.Certificates(folder / "certificates"),
                  Programs(options.debian), transfer_bytes=options.transfer_mib << 20)
    prove(scene)
    missing = []
    subjects, measures = _subjects(options, scene), _measures(mode, options, scene)
    versions = _versions(subjects, missing)
    scene.backends = Backends(scene.load, processes, scene.certificates)
    subjects = [subject for subject in subjects if subject.name in versions]
    measured = Rounds(measures, subjects)
    measured.failures[:0] = missing
    return result.of(measures, subjects, versions, measured)


def _run(mode, options):
    date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    output = options.output.resolve()
    folder = output / date
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}; another run, or --output?") from None
    start, load_before = time.monotonic(), machine.load_average()
    with Processes(folder) as processes:
        measured = _measure(mode, options, folder, processes)
    found = {
        "schema": result.SCHEMA, "date": date, "mode": mode.name, "seconds": round(time.monotonic() - start, 1),
        "machine": machine.describe(REPOSITORY), "programs": Programs(options.debian).system() or "the machine's",
        "load_average": {"before": load_before, "after": machine.load_average()},
        **measured, "commands": report.commands(processes.commands, REPOSITORY),
    }
    _keep(mode, options, output, found)
    return 1 if found["failures"] else 0


def _keep(mode, options, output, found):
    """Writes the result: always under the output folder, and a whole full run where results are committed from."""
    pairs = _pairs(list(found["subjects"]))
    text = report.markdown(found, pairs)
    result.write(output / f"{found['date']}.json", found)
    (output / f"{found['date']}.md").write_text(text + "\n")
    print(text, flush=True)
    if mode.publishes and options.whole and found["failures"]:
        print("bench: not written to bench/results, for something failed", file=sys.stderr)
    elif mode.publishes and options.whole:
        published = REPOSITORY / "bench/results" / f"{found['date']}.json"
        published.parent.mkdir(exist_ok=True)
        result.write(published, found)
        print(f"bench: wrote {published.relative_to(REPOSITORY)}", file=sys.stderr)


def main(mode, arguments=None):
    options = parse(mode, arguments)
    # SIGTERM unwinds like Ctrl-C, so that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        machine.allow_descriptors()
        return _run(mode, options)
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
