"""python3 -m trials.soak: see --help."""
import argparse
import datetime
import json
import pathlib
import signal
import sys

from ..common.bench import REPOSITORY, Failure, Processes, allow_descriptors
from . import report
from .trial import Trial


def _arguments():
    parser = argparse.ArgumentParser(prog="make soak", description="Mixed load on the gateway, with every connection accounted for.")
    parser.add_argument("--binary", type=pathlib.Path, required=True, help="the sluice to try")
    parser.add_argument("--minutes", type=float, default=1, help="how long the load lasts that counts (default: 1)")
    parser.add_argument("--warm-up", type=float, default=20, metavar="SECONDS", help="load before the first count (default: 20)")
    parser.add_argument("--load", type=int, default=1, help="how many times as many clients (default: 1)")
    parser.add_argument("--output", type=pathlib.Path, default=REPOSITORY / ".build/soak",
                        help="where a folder with logs and result.json is made for the run")
    return parser.parse_args()


def main():
    options = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    allow_descriptors()
    folder = options.output.resolve() / datetime.datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    folder.mkdir(parents=True)
    try:
        with Processes(folder) as processes:
            trial = Trial(processes, folder, options.binary.resolve(), options.load)
            outcome = trial.run(options.warm_up, options.minutes * 60)
    except Failure as failure:
        print(f"soak: {failure}\nsoak: logs are in {folder}", file=sys.stderr)
        return 1
    result = report.result(trial, options.minutes, *outcome)
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    print(report.markdown(result))
    if result["complained"]:
        print(f"soak: FAILED: {result['complained']} complaints; logs are in {folder}", file=sys.stderr)
    return 1 if result["complained"] else 0


sys.exit(main())
