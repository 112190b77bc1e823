"""TLS as Sluice terminates it, looked at from outside: make tls-check, or python -m trials.tls [--only PART…] BINARY.

Parts: defaults (every version, suite, group that there is, tried), hellos (malformed ones), oracle (Bleichenbacher), encrypted (broken
records and messages, by tlslite-ng), testssl (testssl.sh, two minutes), and with --tlsfuzzer scripts of tlsfuzzer."""
import argparse
import importlib
import sys
import time

from trials.common.bench import Failure

from . import tlsfuzzer
from .served import served

PARTS = ("defaults", "hellos", "oracle", "encrypted", "testssl")


def main():
    parser = argparse.ArgumentParser(prog="trials.tls", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help="leave out the other parts")
    parser.add_argument("--tlsfuzzer", metavar="FOLDER", help="a checkout of tlsfuzzer: its scripts are run, too (two minutes)")
    parser.add_argument("--verbose", action="store_true", help="print what passed too")
    parser.add_argument("binary", help="the sluice to look at")
    options = parser.parse_args()
    with served(options.binary) as gateway:
        failed = sum(_tell(part, importlib.import_module(f".{part}", __package__).check, options, gateway) for part in options.only)
        if options.tlsfuzzer:
            failed += _tell("tlsfuzzer", lambda gateway: tlsfuzzer.check(gateway, options.tlsfuzzer), options, gateway)
    return 1 if failed else 0


def _tell(part, check, options, gateway):
    """How many checks of a part failed."""
    begun = time.monotonic()
    results = check(gateway)
    gateway.gateway.started.check()
    failed = 0
    for what, problem, words in results:
        failed += bool(problem)
        if options.verbose or problem:
            print(f"  {'✗' if problem else '✓'} {what}: {problem or words}")
    print(f"{part}: {len(results) - failed} of {len(results)} passed, {time.monotonic() - begun:.0f} s", flush=True)
    return failed


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"tls-check: {failure}")
