"""Every fence of the documentation: manifests are accepted, commands work, and what neither is says why."""
import json
import os
import re
import shlex
import subprocess
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

import commands
import session
from pages import ROOT, all_pages

# What a fence may be. Manifests and commands have no other name, so that none is overlooked.
INFOS = {"", "text", "sh", "yaml", "yaml fragment", "yml", "json", "swift", "nginx", "haproxy", "ini", "diff", "toml", "promql"}
READ = {"gateway.networking.k8s.io", "sluice.dev"}
# Kinds beside those that Sluice reads, by API group.
KNOWN = {
    "": {"Service", "Secret", "ConfigMap", "Namespace", "ServiceAccount", "Pod", "ResourceQuota"},
    "apps": {"Deployment", "DaemonSet", "StatefulSet"},
    "discovery.k8s.io": {"EndpointSlice"},
    "policy": {"PodDisruptionBudget"},
    "rbac.authorization.k8s.io": {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"},
    "autoscaling": {"HorizontalPodAutoscaler"},
    "networking.k8s.io": {"NetworkPolicy"},
    "batch": {"Job"},
    "monitoring.coreos.com": {"ServiceMonitor", "PodMonitor", "PrometheusRule"},
    "cert-manager.io": {"Certificate", "Issuer", "ClusterIssuer"},
}


def documents(text):
    """The objects of a fence; a List, and a list of pieces, are their items."""
    return [document for document in yaml.safe_load_all(text) if document is not None]


def is_object(document):
    return isinstance(document, dict) and "apiVersion" in document and "kind" in document


def group(document):
    parts = document["apiVersion"].split("/")
    return parts[0] if len(parts) == 2 else ""


def check(*paths):
    result = subprocess.run(
        [session.binary(), "check", "-o", "json", *map(str, paths)], capture_output=True, text=True, check=False)
    if not result.stdout:
        raise AssertionError(result.stderr)
    return json.loads(result.stdout)


def complaints(answer):
    said = [problem["text"] for problem in answer.get("problems", []) if problem["severity"] == "error"]
    for item in answer.get("objects", []):
        for condition in item["conditions"]:
            if condition["status"] == "False" and condition["type"] in ("Accepted", "ResolvedRefs", "Programmed"):
                said.append(f"{item['kind']} {item['name']}: {condition['reason']}: {condition.get('message', '')}")
    return said or [f"not accepted: {json.dumps(answer)[:2000]}"]


def made_by_commands(page, folder):
    """Secrets and ConfigMaps that the page has its reader make with kubectl or with openssl, in the form of manifests."""
    for fence in page.of("sh"):
        for words in commands.of("kubectl", fence.text):
            if words[1:2] == ["create"] and words[2:3] in (["secret"], ["configmap"]):
                yield from secret(words, folder)


def secret(words, folder):
    name = words[4] if words[2] == "secret" else words[3]
    namespace = next((words[at + 1] for at, word in enumerate(words) if word in ("-n", "--namespace")), "default")
    yield make_secret(folder, namespace, name, words[2] == "secret" and words[3] == "tls")


def make_secret(folder, namespace, name, has_key):
    target = folder / "secrets" / namespace / name
    target.mkdir(parents=True, exist_ok=True)
    certificate = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                   "-subj", "/CN=x", "-addext", "subjectAltName=DNS:*.example.com"]
    if has_key:
        subprocess.run([*certificate, "-keyout", target / "tls.key", "-out", target / "tls.crt"],
                       check=True, capture_output=True)
    else:
        subprocess.run([*certificate, "-keyout", folder / ".key", "-out", target / "ca.crt"], check=True, capture_output=True)
    return target


def make_presupposed(page, objects, folder):
    """What the page says is there, unless its manifests have it."""
    have = {(item["kind"], item["metadata"].get("namespace", "default"), item["metadata"]["name"]) for item in objects}
    for kind, namespace, name, port in page.presupposed:
        if (kind, namespace, name) in have:
            continue
        if kind == "Service":
            service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace},
                       "spec": {"ports": [{"name": "main", "port": int(port)}]}}
            (folder / f"there-{namespace}-{name}.yaml").write_text(yaml.safe_dump(service), encoding="utf-8")
        elif kind in ("Secret", "ConfigMap"):
            make_secret(folder, namespace, name, kind == "Secret")
        else:
            raise AssertionError(f"{page.name}: {kind} cannot be presupposed")


class Fences(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pages = all_pages()

    def test_there_is_no_other_kind_of_fence(self):
        for page in self.pages:
            for fence in page.fences:
                self.assertIn(fence.info, INFOS, f"{page.name}:{fence.line}: docs/tests/README.md says what there is")

    def test_a_marker_says_something(self):
        for page in self.pages:
            for fence in page.fences:
                if fence.marker == "run by":
                    self.assertTrue((ROOT / fence.reason).is_file(), f"{page.name}:{fence.line}: {fence.reason}")
                elif fence.marker:
                    self.assertIn(fence.info, ("sh",), f"{page.name}:{fence.line}: only commands can be left out")
                    self.assertGreaterEqual(len(fence.reason.split()), 2, f"{page.name}:{fence.line}: no reason")

    def test_manifests_are_accepted(self):
        """All yaml fences of a page are one folder, or each is one, with the Secrets that its commands make."""
        checked = 0
        for page in self.pages:
            fences = page.of("yaml")
            for folder in [[fence] for fence in fences] if page.is_of_folders else [fences][:len(fences)]:
                place = f"{page.name}:{folder[0].line}"
                with self.subTest(place), tempfile.TemporaryDirectory() as name:
                    objects = [(fence, item) for fence in folder for item in documents(fence.text)]
                    for fence, item in objects:
                        self.expect_known(page, fence, item)
                    session.write_manifests(folder, Path(name))
                    list(made_by_commands(page, Path(name)))
                    make_presupposed(page, [item for _, item in objects], Path(name))
                    answer = check(name)
                    self.assertTrue(answer["accepted"], f"{place}: {complaints(answer)}")
                    checked += 1
        self.assertGreater(checked, 10)

    def expect_known(self, page, fence, document):
        place = f"{page.name}:{fence.line}"
        self.assertTrue(is_object(document), f"{place}: no object of Kubernetes; mark it as `yaml fragment`")
        if group(document) not in READ:
            self.assertIn(document["kind"], KNOWN.get(group(document), set()), f"{place}: {document['apiVersion']}")

    def test_manifests_of_others_are_yaml(self):
        for page in self.pages:
            for fence in page.of("yml"):
                with self.subTest(f"{page.name}:{fence.line}"):
                    self.assertTrue(documents(fence.text))

    def test_fragments_have_no_wrong_field(self):
        for page in self.pages:
            for fence in page.of("yaml fragment"):
                with self.subTest(f"{page.name}:{fence.line}"), tempfile.TemporaryDirectory() as name:
                    objects = [item for item in documents(fence.text) if is_object(item) and group(item) in READ]
                    if objects:
                        (Path(name) / "fragment.yaml").write_text(yaml.safe_dump_all(objects), encoding="utf-8")
                        problems = [item["text"] for item in check(name).get("problems", []) if item["severity"] == "error"]
                        self.assertEqual(problems, [])

    def test_commands_work(self):
        pages = [page for page in self.pages if any(not fence.marker for fence in page.of("sh"))]
        self.assertGreater(len(pages), 5)
        with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
            for page, failure in zip(pages, pool.map(session.run, pages)):
                with self.subTest(page.name):
                    self.assertEqual(failure, "", failure)

    def test_commands_that_are_not_run_are_commands(self):
        for page in self.pages:
            for fence in page.of("sh"):
                place = f"{page.name}:{fence.line}"
                parsed = subprocess.run(["bash", "-n"], input=fence.text, capture_output=True, text=True, check=False)
                self.assertEqual(parsed.returncode, 0, f"{place}: {parsed.stderr}")
                for words in commands.of("sluice", fence.text):
                    self.assertEqual(commands.complaint(words), "", place)
                for words in commands.of("kubectl", fence.text):
                    for at, word in enumerate(words[:-1]):
                        if word in ("-f", "-k") and re.match(r"(charts|crds|deploy|docs|examples|manifests)/", words[at + 1]):
                            self.assertTrue((ROOT / words[at + 1]).exists(), f"{place}: {words[at + 1]}")

    def test_commands_stand_in_fences(self):
        """A block that is only indented would be overlooked."""
        programs = r"(sudo )?(kubectl|sluice|helm|make|redis-cli|curl|openssl|systemctl|apt|apt-get|dpkg|docker|promtool|yq) "
        for page in self.pages:
            for number, line in page.prose:
                self.assertIsNone(re.match("    " + programs, line), f"{page.name}:{number}: {line}")

    def test_flags_in_the_text_exist(self):
        """`sluice COMMAND …` within a sentence."""
        seen = 0
        for page in self.pages:
            for number, line in page.prose:
                for code in re.findall(r"`(sluice [a-z]+(?: [^`]*)?)`", line):
                    try:
                        words = shlex.split(code.replace("…", "").replace("\\|", "|"))
                    except ValueError:
                        continue
                    seen += 1
                    self.assertEqual(commands.complaint(words), "", f"{page.name}:{number}: {code}")
        self.assertGreater(seen, 50)


if __name__ == "__main__":
    unittest.main()
