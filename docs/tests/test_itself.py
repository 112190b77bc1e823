"""Wrong pages are found to be wrong."""
import tempfile
import unittest
from pathlib import Path

import commands
import session
from pages import ROOT, Page
from test_pages import check, complaints

RESOURCE = """apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  gatewayClassName: sluice
  listeners: [{name: a, protocol: TCP, port: 9000}]
"""


class Itself(unittest.TestCase):
    def page(self, text):
        (ROOT / ".build").mkdir(exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=ROOT / ".build")
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "page.md"
        path.write_text(text, encoding="utf-8")
        return Page(path)

    def test_a_command_that_fails_is_named(self):
        failure = session.run(self.page("# A\n\n```sh\ntrue\n```\n```sh\nredis-cli -p 1 ping\n```\n"))
        self.assertIn("page.md:6:", failure)
        self.assertIn("Could not connect", failure)

    def test_a_command_that_works_is_fine(self):
        self.assertEqual(session.run(self.page("```sh\nsluice version\n```\n```text\nsluice … (commit …)\n```\n")), "")

    def test_what_is_not_printed_is_named(self):
        failure = session.run(self.page("```sh\necho one; echo two\n```\n```text\ntwo\none\n```\n"), tries=1)
        self.assertIn("did not print it: one", failure)

    def test_the_network_is_of_the_page_alone(self):
        failure = session.run(self.page("```sh\ntest \"$(ip -br link | wc -l)\" = 1\n```\n"))
        self.assertEqual(failure, "")

    def test_what_kubectl_is_refused_is_found(self):
        text = f"```yaml\n# edge.yaml\n{RESOURCE.replace('port: 9000', 'port: 0')}```\n```sh\nkubectl apply -f edge.yaml\n```\n"
        self.assertIn("port", session.run(self.page(text)))

    def test_helm_has_to_name_a_value_of_the_chart(self):
        failure = session.run(self.page("```sh\nhelm upgrade sluice charts/sluice --set imagee.tag=1\n```\n"))
        self.assertIn("imagee.tag", failure)

    def test_wrong_flags_and_commands_are_found(self):
        self.assertIn("--manifest", commands.complaint(["sluice", "run", "--manifest", "a"]))
        self.assertIn("serve", commands.complaint(["sluice", "serve"]))
        self.assertEqual(commands.complaint(["sluice", "run", "--manifests=a", "--log-level", "debug"]), "")
        self.assertEqual(
            list(commands.of("sluice", "a | sluice check b \\\n  -o json > c  # sluice d\nsluice version")),
            [["sluice", "check", "b", "-o", "json"], ["sluice", "version"]])

    def test_wrong_manifests_are_found(self):
        page = self.page(f"```yaml\n{RESOURCE.replace('protocol: TCP', 'protocl: TCP')}```\n")
        with tempfile.TemporaryDirectory() as name:
            session.write_manifests(page.of("yaml"), Path(name))
            answer = check(name)
        self.assertFalse(answer["accepted"])
        self.assertIn("spec.listeners[0].protocol", "".join(complaints(answer)))

    def test_a_marker_is_for_one_fence(self):
        page = self.page("<!-- not run: it would harm -->\n```sh\na\n```\n```sh\nb\n```\n")
        self.assertEqual([fence.marker for fence in page.fences], ["not run", ""])

    def test_headings_become_anchors(self):
        page = self.page("# What it costs\n\n## 1. `run`, again\n\n## What it costs\n")
        self.assertEqual(list(page.anchors()), ["what-it-costs", "1-run-again", "what-it-costs-1"])


if __name__ == "__main__":
    unittest.main()
