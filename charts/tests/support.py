"""The chart, rendered by Helm's library."""

import functools
import re

import helm_python

from .cases import CHART, documents


@functools.cache
def chart():
    return helm_python.Chart.load(CHART)


class Rendering:
    """What Helm makes of a set of values."""

    def __init__(self, values, name="sluice", namespace="sluice-system", is_install=True):
        files = chart().render(values, name=name, namespace=namespace, is_install=is_install)
        self.notes = files.pop("sluice/templates/NOTES.txt", "")
        self.text = "\n---\n".join(text for _, text in sorted(files.items()) if text.strip())
        self.objects = documents(self.text)

    def all(self, kind):
        return [found for found in self.objects if found["kind"] == kind]

    def one(self, kind, name=None):
        found = [item for item in self.all(kind) if name is None or item["metadata"]["name"] == name]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} of {kind} {name or ''}, not one")
        return found[0]

    def one_of(self, kind, name, namespace):
        found = [item for item in self.all(kind) if item["metadata"]["name"] == name]
        return next(item for item in found if kind == "ClusterRole" or item["metadata"]["namespace"] == namespace)

    @property
    def workload(self):
        return (self.all("Deployment") + self.all("DaemonSet"))[0]

    @property
    def pod(self):
        return self.workload["spec"]["template"]["spec"]

    @property
    def args(self):
        return self.pod["containers"][0]["args"]


def refusal(values):
    """Helm's words where it refuses values."""
    try:
        Rendering(values)
    except (helm_python.HelmValuesError, helm_python.HelmRenderError) as error:
        return re.sub(r"\s+", " ", str(error))
    raise AssertionError(f"Helm takes {values}")


def changed(base, path, value):
    """A copy of `base` in which the value at `path`, such as config.logLevel, is another one."""
    key, _, rest = path.partition(".")
    return {**base, key: changed(base.get(key) or {}, rest, value) if rest else value}
