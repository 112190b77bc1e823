"""What the chart does with values: it refuses wrong ones by name, and the others lead to what they promise."""

import json
import re
import shutil
import tempfile
import unittest
from pathlib import Path

import helm_python
import jsonschema

from .cases import CASES, CHART, IMAGE, ROOT, documents, values
from .support import Rendering, changed, refusal

DEFAULTS = documents((CHART / "values.yaml").read_text(encoding="utf-8"))[0]
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))

# Combinations that the schema lets through: values, and what the message says.
COMBINATIONS = [
    ({"hostNetwork": True}, "hostNetwork: with exposure: Service"),
    ({"exposure": "Host", "hostNetwork": True, "privilegedPorts": "PodSysctl"}, "privilegedPorts: PodSysctl is for"),
    ({"exposure": "Host", "privilegedPorts": "NodeSysctl"}, "privilegedPorts: NodeSysctl is for hostNetwork: true"),
    ({"exposure": "Host", "privilegedPorts": "Root"}, "privilegedPorts: Root is for hostNetwork: true"),
    ({"privilegedPorts": "Root"}, "privilegedPorts: Root is for hostNetwork: true"),
    ({"exposure": "Host", "hostNetwork": True, "networkPolicy": {"enabled": True}}, "networkPolicy.enabled: a NetworkPolicy"),
    ({"exposure": "Host", "networkPolicy": {"enabled": True}}, "networkPolicy.listenerPorts: with exposure: Host"),
    ({"networkPolicy": {"listenerPorts": [{"port": 9, "endPort": 8}]}}, "networkPolicy.listenerPorts: endPort 8 is less"),
    ({"kind": "DaemonSet", "autoscaling": {"enabled": True}}, "autoscaling.enabled: a DaemonSet"),
    ({"autoscaling": {"enabled": True, "minReplicas": 9, "maxReplicas": 3}}, "autoscaling.minReplicas: 9 is more than"),
    ({"autoscaling": {"enabled": True, "targetCPUUtilizationPercentage": None}}, "autoscaling.metrics: nothing to scale by"),
    ({"podDisruptionBudget": {"minAvailable": 1}}, "podDisruptionBudget: set either"),
    ({"podDisruptionBudget": {"maxUnavailable": None}}, "podDisruptionBudget: set either"),
    ({"portRange": "30000-20000"}, "portRange: 30000-20000 must be"),
    ({"portRange": "1000-2000"}, "portRange: 1000-2000 must be"),
    ({"portRange": "20000-70000"}, "portRange: 20000-70000 must be"),
    ({"config": {"probePort": 20001}}, "config.probePort: 20001 lies in portRange"),
    ({"exposure": "Host", "test": {"port": 20001}}, "test.port: 20001 cannot be a listener's on the host"),
    ({"serviceAccount": {"create": False}}, "serviceAccount.name: the chart does not give its rights to"),
    ({"watchNamespaces": ["a"], "rbac": {"aggregate": True}}, "rbac.aggregate: needs ClusterRoles"),
    ({"watchNamespaces": ["a"], "rbac": {"nodes": True}}, "rbac.nodes: needs a ClusterRole"),
    ({"watchNamespaces": ["a"], "rbac": {"secrets": [{"namespace": "b", "names": ["c"]}]}}, "rbac.secrets: namespace b is not"),
    ({"watchNamespaces": ["a"], "gatewayClass": {"parametersName": "b"}}, "gatewayClass.parametersName: with watchNamespaces"),
    ({"rbac": {"gatewayServices": False}}, "rbac.gatewayServices: with exposure: Service"),
    ({"alerts": {"disabled": ["SluiceNobody"]}}, "alerts.disabled: there is no alert SluiceNobody; there are SluiceListenerDown,"),
    ({"extraEnv": [{"name": "SLUICE_WORKERS", "value": "1"}]}, "extraEnv: SLUICE_WORKERS is the twin of a flag"),
    ({"metrics": {"podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}}}, "metrics.serviceMonitor.enabled: with"),
    ({"metrics": {"serviceMonitor": {"enabled": True}}}, "metrics.serviceMonitor.enabled: a ServiceMonitor needs"),
    ({"config": {"events": {"sink": "http://a.example", "tokenFile": "/t"}}}, "config.events.tokenFile: a token is sent"),
    ({"cache": {"enabled": True, "secrets": True}}, "cache.secrets: private keys are not kept in clear"),
]


class Schema(unittest.TestCase):
    def test_a_wrong_value_of_each_top_level_key_is_named(self):
        for key in DEFAULTS:
            with self.subTest(key):
                self.assertIn(f"at '/{key}'", refusal(IMAGE | {key: 3.5}))

    def test_an_unknown_key_is_named_at_every_level(self):
        for path in ["", *objects(SCHEMA, "")]:
            with self.subTest(path or "top"):
                text = refusal(changed(IMAGE, f"{path}.unheardOf".removeprefix("."), 1))
                self.assertIn("additional properties 'unheardOf' not allowed", text)
                self.assertIn(f"at '{'/' if path else ''}{path.replace('.', '/')}'", text)

    def test_a_wrong_value_of_each_other_key_is_named(self):
        for path, _ in leaves(DEFAULTS, ""):
            with self.subTest(path):
                self.assertIn(f"at '/{path.replace('.', '/')}'", refusal(changed(IMAGE, path, 3.5)))

    def test_values_with_a_form_are_refused_without_it(self):
        for path, wrong in {
            "image.repository": "registry.example.com/sluice:1.0", "image.digest": "sha256:12", "image.tag": "a b",
            "image.pullPolicy": "Sometimes", "controllerName": "sluice.dev", "portRange": "20000", "exposure": "service",
            "privilegedPorts": "sysctl", "kind": "StatefulSet", "replicas": -1, "runAsUser": 0, "config.workers": 65,
            "config.logLevel": "loud", "config.bufferMemory": "much", "config.adminAddress": "localhost:19000",
            "config.probePort": 80, "watchNamespaces": ["Shop"], "extraArgs": ["zone=a"], "commonLabels": {"a": True},
            "commonAnnotations": {"a": 1}, "podLabels": {"a": "b c"}, "podDisruptionBudget.maxUnavailable": "half",
            "autoscaling.maxReplicas": 0, "metrics.podMonitor.interval": "often",
            "rbac.secrets": [{"namespace": "a", "names": []}],
            "shutdown.drainDeadlineSeconds": "60s", "gatewayClass.name": "", "alerts.disabled": ["Other"],
            "imagePullSecrets": ["registry"], "networkPolicy.listenerPorts": [{"port": 0}],
            "podSecurityContext": {"runAsUser": 0},
        }.items():
            with self.subTest(path):
                self.assertIn(f"at '/{path.replace('.', '/')}", refusal(changed(IMAGE, path, wrong)))

    def test_everything_is_closed_and_known(self):
        for path in ["", *objects(SCHEMA, "")]:
            self.assertIs(at(SCHEMA, path)["additionalProperties"], False, path)
        known = {path for path, _ in leaves(DEFAULTS, "")}
        for path in known:
            self.assertIsNotNone(at(SCHEMA, path), path)
        # And nothing can be set that values.yaml does not tell of.
        self.assertEqual(set(SCHEMA["properties"]) - {"global"}, set(DEFAULTS))

    def test_the_schema_is_one_and_takes_the_values_and_all_cases(self):
        jsonschema.Draft7Validator.check_schema(SCHEMA)
        for case in CASES:
            jsonschema.validate(merged(DEFAULTS, values(case)), SCHEMA)


class Refusals(unittest.TestCase):
    def test_combinations_that_cannot_work_are_refused_with_a_reason(self):
        for wrong, words in COMBINATIONS:
            with self.subTest(words):
                self.assertIn(words, refusal(IMAGE | wrong))

    def test_without_an_image_the_commands_that_make_one_are_shown(self):
        text = refusal({})
        self.assertIn("image.repository is not set", text)
        self.assertRegex(text, r"docker build --tag REGISTRY/sluice:\S+ \. && docker push REGISTRY/sluice:\S+")
        self.assertIn("--set image.repository=REGISTRY/sluice", text)

    def test_lint_has_no_complaint(self):
        for given in [None, *map(values, CASES)]:
            report = helm_python.lint(CHART, given, strict=True)
            complaints = [found for found in report["messages"] if found["severity"] > 1]
            self.assertEqual((complaints, report["errors"]), ([], []))


class Meaning(unittest.TestCase):
    def test_pods_are_restricted_unless_root_is_asked_for(self):
        for case in CASES:
            rendering = Rendering(values(case))
            pods = [item["spec"]["template"]["spec"] for item in rendering.objects if "template" in item.get("spec", {})]
            pods += [item["spec"] for item in rendering.all("Pod")]
            for pod in pods:
                with self.subTest(case):
                    is_root = case == "host-root" and pod.get("hostNetwork", False)
                    security = pod["securityContext"]
                    self.assertEqual(security["runAsNonRoot"], not is_root)
                    self.assertEqual(security["seccompProfile"], {"type": "RuntimeDefault"})
                    self.assertEqual(security.get("runAsUser") == 0, is_root)
                    for container in pod["containers"] + pod.get("initContainers", []):
                        rights = container["securityContext"]
                        self.assertFalse(rights["allowPrivilegeEscalation"])
                        self.assertTrue(rights["readOnlyRootFilesystem"])
                        added = ["NET_BIND_SERVICE"] if is_root else None
                        self.assertEqual(rights["capabilities"], {"drop": ["ALL"], **({"add": added} if added else {})})

    def test_tokens_that_end(self):
        mount = {"name": "api-access", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True}
        for case, seconds in (("namespaced-own", 600), ("default", None)):
            pod = Rendering(values(case)).pod
            self.assertEqual(pod["automountServiceAccountToken"], seconds is None)
            self.assertEqual(pod["containers"][0].get("volumeMounts", []), [mount] if seconds else [])
            sources = [source for volume in pod.get("volumes", []) for source in volume["projected"]["sources"]]
            tokens = [source["serviceAccountToken"] for source in sources if "serviceAccountToken" in source]
            self.assertEqual(tokens, [{"path": "token", "expirationSeconds": seconds}] if seconds else [])

    def test_ports_below_1024(self):
        sysctl = [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]
        expected = {"default": None, "host-pod": sysctl, "pod-sysctl": sysctl, "host-network": None, "host-root": None}
        for case, wanted in expected.items():
            self.assertEqual(Rendering(values(case)).pod["securityContext"].get("sysctls"), wanted, case)

    def test_namespaced_installations_have_nothing_of_cluster_scope(self):
        for case in ("namespaced", "namespaced-own"):
            rendering = Rendering(values(case))
            for item in rendering.objects:
                self.assertIn("namespace", item["metadata"], f"{item['kind']} {item['metadata']['name']}")
            self.assertTrue(rendering.all("Role"))
        whole = Rendering(IMAGE | {"watchNamespaces": ["shop"]})
        self.assertEqual(whole.all("ClusterRole") + whole.all("ClusterRoleBinding"), [])

    def test_rights_of_the_examples(self):
        self.assertIn("secrets", readable(Rendering(values("default"))))
        self.assertNotIn("secrets", readable(Rendering(values("named-secrets"))))
        self.assertIn("nodes", readable(Rendering(values("default"))))
        for case in ("pod-sysctl", "host-network", "host-pod"):
            self.assertNotIn("nodes", readable(Rendering(values(case))), case)
        named = Rendering(values("named-secrets"))
        roles = [item for item in named.all("Role") if item["metadata"]["name"] == "sluice-secrets"]
        self.assertEqual([role["metadata"]["namespace"] for role in roles], ["shop", "bank"])
        for role in roles:
            self.assertEqual(role["rules"], [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["tls"],
                                              "verbs": ["get", "list", "watch"]}])
        for case, creates in {"default": True, "host-network": False, "pod-sysctl": True}.items():
            rules = Rendering(values(case)).one("Role", "sluice")["rules"]
            services = next(rule for rule in rules if rule["resources"] == ["services"])
            self.assertEqual("create" in services["verbs"], creates, case)
            self.assertIn("delete", services["verbs"])

    def test_every_bound_account_exists_or_is_named(self):
        for case in CASES:
            rendering = Rendering(values(case))
            account = rendering.pod["serviceAccountName"]
            for binding in rendering.all("RoleBinding") + rendering.all("ClusterRoleBinding"):
                self.assertEqual(binding["subjects"], [{"kind": "ServiceAccount", "name": account, "namespace": "sluice-system"}])
                role = binding["roleRef"]
                role = rendering.one_of(role["kind"], role["name"], binding["metadata"].get("namespace"))
                self.assertTrue(role["rules"])

    def test_the_time_of_a_pod_that_ends_is_the_sum(self):
        for case, wanted in {"default": 100, "host-network": 80, "process": 5 + 45 + 600 + 10}.items():
            rendering = Rendering(values(case))
            self.assertEqual(rendering.pod["terminationGracePeriodSeconds"], wanted, case)
            flags = dict(arg.split("=", 1) for arg in rendering.args if "=" in arg)
            seconds = sum(int(flags[name].removesuffix("s")) for name in ("--accept-grace", "--drain-deadline"))
            pause = rendering.pod["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            self.assertEqual(seconds + pause + 10, wanted)

    def test_services_of_gateways_select_the_pods_and_nothing_else(self):
        for case in CASES:
            rendering = Rendering(values(case))
            flag = next(arg for arg in rendering.args if arg.startswith("--pod-selector="))
            selector = dict(pair.split("=") for pair in flag.removeprefix("--pod-selector=").split(","))
            self.assertEqual(rendering.workload["spec"]["selector"]["matchLabels"], selector)
            templates = [item["spec"]["template"] for item in rendering.objects if "template" in item.get("spec", {})]
            labels = [template["metadata"]["labels"] for template in templates]
            labels += [item["metadata"]["labels"] for item in rendering.all("Pod")]
            self.assertEqual(sum(selector.items() <= found.items() for found in labels), 1, case)

    def test_versions_are_those_of_the_project(self):
        chart = documents((CHART / "Chart.yaml").read_text(encoding="utf-8"))[0]
        version = re.search(r'"(\d+\.\d+\.\d+[^"]*)"', (ROOT / "Sources/Commands/Version.swift").read_text(encoding="utf-8"))[1]
        self.assertEqual((chart["version"], chart["appVersion"]), (version, version))
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        self.assertIn(f"/releases/download/{chart['annotations']['sluice.dev/gateway-api']}/standard-install.yaml", readme)

    def test_the_chart_is_complete_as_an_archive(self):
        with tempfile.TemporaryDirectory() as folder:
            archive = helm_python.package(CHART, destination=folder)
            with helm_python.Chart.load(archive) as chart:
                rendered = chart.render(values("monitoring"), name="sluice", namespace="sluice-system")
            shutil.unpack_archive(archive, folder)
            self.assertEqual(Path(folder, "sluice/values.schema.json").read_bytes(), (CHART / "values.schema.json").read_bytes())
        self.assertEqual(documents("\n---\n".join(text for name, text in sorted(rendered.items()) if not name.endswith(".txt"))),
                         Rendering(values("monitoring")).objects)


def readable(rendering):
    """What may be read everywhere."""
    return {resource for role in rendering.all("ClusterRole") if role["metadata"]["name"] == "sluice"
            for rule in role["rules"] for resource in rule["resources"]}


def merged(base, over):
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    both = {**base, **over} | {key: merged(base[key], over[key]) for key in base if key in over}
    # null takes a default away.
    return {key: value for key, value in both.items() if value is not None or key not in over}


def leaves(found, path):
    """Every value below the top level that is no object with keys of its own."""
    for key, value in found.items():
        below = f"{path}.{key}".removeprefix(".")
        if isinstance(value, dict) and value and "properties" in at(SCHEMA, below):
            yield from leaves(value, below)
        elif not isinstance(value, dict) and path:
            yield below, value


def at(schema, path):
    """The part of the schema for a path, or None."""
    for key in filter(None, path.split(".")):
        schema = schema.get("properties", {}).get(key)
        if schema is None:
            return None
        if "$ref" in schema:
            schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]]
    return schema


def objects(schema, path):
    """The paths of all objects with fields of their own."""
    for key in schema.get("properties", {}):
        below = f"{path}.{key}".removeprefix(".")
        inner = at(SCHEMA, below)
        if "properties" in inner:
            yield below
            yield from objects(inner, below)
