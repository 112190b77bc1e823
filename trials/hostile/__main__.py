"""Attacks on the gateway beside clients that behave: how long those wait, what memory it takes, and how each attacker ends."""
import argparse
import pathlib
import signal
import sys
import tempfile

from . import network
from ..common.bench import Failure, Processes, allow_descriptors
from .catalogue import LIMIT, at_the_limit, attacks


def _parse():
    parser = argparse.ArgumentParser(prog="make hostile", description=__doc__)
    parser.add_argument("--binary", type=pathlib.Path, help="the gateway; without it, the release build")
    parser.add_argument("--rounds", type=int, default=3, help="of each attack; the figures are medians")
    parser.add_argument("--seconds", type=float, default=2, help="of each half of a round")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="some of: " + ", ".join(each.name for each in _all()))
    parser.add_argument("--judge-time", action="store_true", help="waits beyond twice the undisturbed fail as well")
    parser.add_argument("--busy", action="store_true", help="other work is on this machine: the gateway goes before it")
    return parser.parse_args()


def _all():
    return [*attacks(), *at_the_limit()]


def _run(options, folder, processes):
    from .rounds import run
    from .scene import Scene, built_binary
    from .table import markdown, slow
    binary = options.binary or built_binary()
    scene = Scene(processes, folder, binary, max_connections=LIMIT, busy=options.busy)
    scene.long_chain()
    outcomes, failures = [], 0
    for attack in _all():
        if options.only and attack.name not in options.only:
            continue
        outcome = run(scene, attack, options.rounds, options.seconds, options.rounds if options.judge_time else 0)
        outcomes.append(outcome)
        print(f"{attack.name}: {len(outcome.rounds)} rounds, {outcome.attackers:,} attackers", file=sys.stderr)
        problems = outcome.problems + [f"({each})" for each in slow(outcome) if not options.judge_time]
        problems += slow(outcome) if options.judge_time else []
        for problem in problems:
            print(f"  {problem}", file=sys.stderr)
        failures += len(outcome.problems) + (len(slow(outcome)) if options.judge_time else 0)
    print(markdown(outcomes))
    total = sum(outcome.attackers for outcome in outcomes)
    print(f"\n{total:,} attackers, {failures} failures")
    return 1 if failures else 0


def main():
    options = _parse()
    network.enter("trials.hostile")
    network.prepare()
    allow_descriptors()
    # SIGTERM unwinds like Ctrl-C, so that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="sluice-hostile-") as folder:
        with Processes(pathlib.Path(folder)) as processes:
            try:
                return _run(options, pathlib.Path(folder), processes)
            except Failure as failure:
                print(failure, file=sys.stderr)
                return 1


sys.exit(main())
