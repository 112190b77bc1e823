"""What the scripts of a tlsfuzzer that you have say: it has no package, so that this part runs only where --tlsfuzzer names a
checkout of it. Which scripts, and what they may find: tlsfuzzer_runs.py.

They are written for servers that speak what nobody gets by default: they talk to the listener `legacy`."""
import collections
import concurrent.futures
import pathlib
import re
import subprocess
import sys

from trials.common.bench import Failure

from .tlsfuzzer_runs import EXPLAINED, RUNS

# Conversations are tried one after the other, some hundred a script, the slowest for some 20 s on two cores.
PATIENCE_S = 900
AT_ONCE = 2


def program(checkout, script):
    path = pathlib.Path(checkout).expanduser().resolve() / "scripts" / script
    if not path.is_file():
        raise Failure(f"--tlsfuzzer {checkout}: it has no scripts/{script}; is it a checkout of tlsfuzzer?")
    return path


def conversations(printed):
    """[(name, None or what went wrong)] of what a script printed, in its order."""
    parts = re.split(r"^(.+?)(?: ?\.\.\.| repeat \d+)$", printed, flags=re.MULTILINE)[1:]
    found = []
    for name, said in zip(parts[::2], parts[1::2]):
        errors = re.findall(r"^(?:\w+\.)*(\w*(?:Error|Alert|Exception)\w*: .*)$", said, re.MULTILINE)
        passed = re.search(r"^OK", said, re.MULTILINE)
        found.append((name, None if passed else errors[-1] if errors else said.strip()[-300:] or "nothing was said"))
    return found


def reason(script, name, problem):
    """Why a conversation may end so, or None."""
    return next((words for words, answer, scripts in EXPLAINED
                 if script in scripts and re.search(scripts[script], name) and re.search(answer, problem)), None)


def judge(script, code, printed):
    """(problem or None, words, how often each reason was needed)."""
    found = conversations(printed)
    passed = sum(problem is None for _, problem in found)
    bad = [(name, problem) for name, problem in found if problem]
    reasons = collections.Counter(reason(script, name, problem) for name, problem in bad)
    unexplained = [f"{name}: {problem}" for name, problem in bad if not reason(script, name, problem)]
    words = f"{passed} of {len(found)} conversations pass"
    if unexplained:
        return f"{words}; " + "; ".join(unexplained[:5]), words, reasons
    if not passed or (code != 0) != bool(bad):
        return f"{words}, it ended with {code}: {printed[-500:]}", words, reasons
    return None, words, reasons


def _run(gateway, checkout, script, flags):
    path = program(checkout, script)
    command = [sys.executable, "-B", path, "-h", "127.0.0.1", "-p", str(gateway.ports["legacy"]), *flags]
    try:
        done = subprocess.run(command, cwd=path.parent.parent, capture_output=True, text=True, timeout=PATIENCE_S,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return f"it took longer than {PATIENCE_S} s", "", {}
    return judge(script, done.returncode, done.stdout + done.stderr)


def check(gateway, checkout):
    """[(what, problem or None, words)]."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = pool.map(lambda run: _run(gateway, checkout, *run), RUNS)
    results, total = [], collections.Counter()
    for (script, flags), (problem, words, reasons) in zip(RUNS, outcomes):
        results.append((f"tlsfuzzer: {' '.join([script, *flags])}", problem, words))
        total.update(reasons)
    said = "; ".join(f"{words} ({count})" for words, count in total.most_common() if words)
    # Each of the explanations is needed, or has become untrue.
    idle = [words for words, _, _ in EXPLAINED if not total[words]]
    return [*results, ("tlsfuzzer: explained", f"never met: {', '.join(idle)}" if idle else None, said)]
