"""Volumes of a pod on this host, laid out as the kubelet does: files behind ..data, which is swapped when a source changes."""

import os
import shutil
from pathlib import Path

import yaml


def documents(path):
    return [document for document in yaml.safe_load_all(Path(path).read_text(encoding="utf-8")) if document]


def pod(path):
    """The pod's spec of the file's Deployment."""
    return next(item for item in documents(path) if item["kind"] == "Deployment")["spec"]["template"]["spec"]


def config_maps(path):
    return {item["metadata"]["name"]: item["data"] for item in documents(path) if item["kind"] == "ConfigMap"}


class Volume:
    """One volume, mounted at `folder`. `objects` are the data of Secrets and ConfigMaps by (kind, name)."""

    def __init__(self, definition, folder, objects):
        self.definition, self.folder, self.objects, self.version = definition, Path(folder), objects, 0
        self.folder.mkdir(parents=True)
        self.write()

    def sources(self):
        if "emptyDir" in self.definition:
            return
        for source in self.definition["projected"]["sources"]:
            kind, reference = next(iter(source.items()))
            data = self.objects[kind, reference["name"]]
            for item in reference.get("items") or [{"key": key, "path": key} for key in data]:
                # The kubelet does not start the pod where a key is missing.
                yield item["path"], data[item["key"]]

    def write(self):
        """All files anew, in a folder of their own; then one rename makes them count."""
        self.version += 1
        name = f"..2026_11_22_{self.version}"
        for path, text in self.sources():
            file = self.folder / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            first = Path(path).parts[0]
            if not (self.folder / first).is_symlink():
                (self.folder / first).symlink_to(f"..data/{first}")
        data, old = self.folder / "..data", None
        if data.is_symlink():
            old = os.readlink(data)
        (self.folder / "..data_tmp").symlink_to(name)
        os.rename(self.folder / "..data_tmp", data)
        if old:
            shutil.rmtree(self.folder / old)
