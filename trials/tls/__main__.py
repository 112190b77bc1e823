"""TLS as Sluice terminates it, looked at from outside: make tls-check, or python -m trials.tls [--only PART…] BINARY.

Parts: defaults (every version, suite, group that there is, tried), hellos (malformed ones), oracle (Bleichenbacher), encrypted (broken
records and messages, by tlslite-ng), testssl (testssl.sh, two minutes)."""
import argparse
import importlib
import sys
import time

from trials.common.bench import Failure

from .served import served

PARTS = ("defaults", "hellos", "oracle", "encrypted", "testssl")


def main():
    parser = argparse.ArgumentParser(prog="trials.tls", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help="leave out the other parts")
    parser.add_argument("--verbose", action="store_true", help="print what passed too")
    parser.add_argument("binary", help="the sluice to look at")
    options = parser.parse_args()
    failed = 0
    with served(options.binary) as gateway:
        for part in options.only:
            begun = time.monotonic()
            results = importlib.import_module(f".{part}", __package__).check(gateway)
            gateway.gateway.started.check()
            problems = [(what, problem) for what, problem, _ in results if problem]
            for what, problem, words in results:
                if options.verbose or problem:
                    print(f"  {'✗' if problem else '✓'} {what}: {problem or words}")
            failed += len(problems)
            print(f"{part}: {len(results) - len(problems)} of {len(results)} passed, {time.monotonic() - begun:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"tls-check: {failure}")
