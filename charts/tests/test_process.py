"""The flags and variables that the chart renders are ones that the binary obeys."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from .cases import CASES, binary, values
from .support import Rendering

DEAD = """\
apiVersion: v1
kind: Config
current-context: dead
clusters: [{name: dead, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: dead, user: {}}]
contexts: [{name: dead, context: {cluster: dead, user: dead}}]
"""
# What every rendered address becomes, so that cases may run beside each other and beside a gateway of this host.
FREE = {"--probe-address": "127.0.0.1:0", "--admin-address": "127.0.0.1:0"}


class Process(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "kubeconfig").write_text(DEAD, encoding="utf-8")

    def environment(self, container):
        """What the kubelet would set, and no variable of this process."""
        found = {"PATH": os.environ["PATH"], "KUBECONFIG": str(self.folder / "kubeconfig")}
        fields = {"metadata.name": "sluice-0", "spec.nodeName": "node-0"}
        for variable in container.get("env", []):
            found[variable["name"]] = variable.get("value") or fields[variable["valueFrom"]["fieldRef"]["fieldPath"]]
        return found

    def test_run_starts_with_what_each_case_renders(self):
        for case in CASES:
            with self.subTest(case):
                container = Rendering(values(case)).pod["containers"][0]
                log = self.started(self.local(container["args"]), self.environment(container))
                self.assertIn("started", log)

    def local(self, arguments):
        """With files of this test in place of the pod's, and free ports in place of the rendered ones."""
        found = []
        for argument in arguments:
            name, _, value = argument.partition("=")
            if value.startswith("/") and "file" in name:
                value = str(self.folder / Path(value).name)
                Path(value).write_text("token\n", encoding="utf-8")
            elif name == "--event-spool":
                value = str(self.folder / "spool")
            found.append(f"{name}={FREE.get(name, value)}" if value else name)
        return found

    def started(self, arguments, environment):
        """What it logs until it says that it has started; it fails where it ends before that."""
        with subprocess.Popen([binary(), *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True) as process:
            lines = []
            try:
                for line in process.stdout:
                    lines.append(line)
                    if "started" in line:
                        break
            finally:
                process.kill()
            return "".join(lines)

    def test_retire_is_understood(self):
        for case in CASES:
            for job in Rendering(values(case)).all("Job"):
                with self.subTest(case):
                    container = job["spec"]["template"]["spec"]["containers"][0]
                    arguments = [f"{arg.split('=')[0]}=1s" if arg.startswith("--timeout=") else arg for arg in container["args"]]
                    found = subprocess.run([binary(), *arguments], env=self.environment(container), capture_output=True,
                                           text=True, timeout=60)
                    # It could not reach the API server; a command line that cannot be obeyed is 2.
                    self.assertEqual(found.returncode, 1, found.stderr)
                    self.assertIn("127.0.0.1:9", found.stderr + found.stdout)
