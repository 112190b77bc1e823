"""Runs a page's commands as a reader would: in order, in one shell, in a folder with the page's manifests.

Each page has a network, a process tree, a /tmp and a home of its own, so that ports are free and nothing is left behind.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pages import ROOT

HERE = Path(__file__).resolve().parent
COPIED = ["charts", "crds", "deploy", "examples", "manifests", "scripts", "Makefile"]
NAMED = re.compile(r"^# ([\w./-]+\.ya?ml)$")
# Programs that serve until they are ended: a reader gives each a terminal of its own.
SERVING = re.compile(r"^(sluice (?:run|echo)|redis-server|redis-sentinel|redis|haproxy)\b(.*?)\s*&?\s*(#.*)?$")
# Far more than a page takes; other work on the machine may take ten times of it.
SECONDS = 240


def binary():
    path = str(ROOT / (os.environ.get("SLUICE_TEST_BINARY") or ".build/release/sluice"))
    if not os.access(path, os.X_OK):
        raise SystemExit(f"there is no binary at {path}: run `make build`, or set SLUICE_TEST_BINARY")
    return path


def api_server():
    path = str(ROOT / (os.environ.get("SLUICE_TEST_APISERVER") or ".build/debug/sluice-test-apiserver"))
    if not os.access(path, os.X_OK):
        raise SystemExit(f"there is no test API server at {path}: run `swift build --build-tests`")
    return path


def namespace():
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def write_manifests(fences, folder):
    """Each of the yaml fences in the file that its first line names."""
    for number, fence in enumerate(fences):
        match = NAMED.match(fence.text.split("\n")[0])
        path = folder / (match.group(1) if match else f"unnamed-{number}.yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(fence.text + "\n", encoding="utf-8")


def foreground(text):
    """Servers that the page puts into the background: here the shell waits until they serve."""
    return "\n".join(SERVING.sub(r"\1\2", line) if SERVING.match(line) else line for line in text.split("\n"))


def run(page, tries=60):
    """Runs the fences that are to be run; says what went wrong, or nothing."""
    fences = [fence for fence in page.of("sh") if not fence.marker]
    if not fences:
        return ""
    (ROOT / ".build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="docs-", dir=ROOT / ".build") as name:
        work, state = Path(name) / "work", Path(name) / "state"
        work.mkdir()
        state.mkdir()
        for entry in COPIED:
            source = ROOT / entry
            if source.is_dir():
                shutil.copytree(source, work / entry)
            elif source.exists():
                shutil.copy(source, work / entry)
        write_manifests(page.of("yaml"), work)
        for number, fence in enumerate(fences):
            (state / f"{number}.sh").write_text(foreground(fence.text) + "\n", encoding="utf-8")
            if fence.expected:
                (state / f"{number}.expected").write_text(fence.expected.text + "\n", encoding="utf-8")
        cluster = any(re.search(r"^\s*(kubectl|helm) |--deployment|--pod ", fence.text, re.M) for fence in fences)
        installs = any(re.search(r"helm install|apply .*manifests/", fence.text) for fence in fences)
        environment = {
            "PATH": f"{HERE / 'programs'}:{os.environ['PATH']}", "HOME": str(state), "LANG": "C.UTF-8",
            "STATE": str(state), "WORK": str(work), "SLUICE_BINARY": binary(), "FENCES": str(len(fences)), "TRIES": str(tries),
            "API_SERVER": api_server() if cluster else "", "INSTALLED": "" if installs else "yes",
            "PYTHON": sys.executable, "ROOT": str(ROOT),
        }
        command = [*namespace(), "bash", str(HERE / "play")]
        try:
            result = subprocess.run(
                command, cwd=work, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired as late:
            return f"the page took more than {SECONDS} s\n{(late.stdout or b'').decode()[-2000:]}"
        if result.returncode == 0:
            return ""
        logs = "".join(f"--- {path.name}\n{path.read_text(errors='replace')[-1500:]}" for path in state.glob("*.log"))
        failed = (state / "at").read_text().strip() if (state / "at").exists() else "0"
        fence = fences[int(failed)]
        return f"{page.name}:{fence.line}: {result.stdout[-3000:]}{result.stderr[-3000:]}\n{logs}"
