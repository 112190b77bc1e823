"""The sets of values, and where things are. Without Helm's library: the tests of renderings and those of installations have
different ones, and each is a Go program that wants a process for itself."""

import os
import unittest
from pathlib import Path

import yaml

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent.parent
CHART = ROOT / "charts/sluice"
CASES = sorted(path.stem for path in (TESTS / "values").glob("*.yaml"))
IMAGE = {"image": {"repository": "registry.example.com/sluice"}}
UPDATES = os.environ.get("SLUICE_UPDATE_SNAPSHOTS") == "1"


class Loader(yaml.CSafeLoader):
    """YAML as Kubernetes and Helm read it: what looks like a time is a text."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def documents(text):
    return [document for document in yaml.load_all(text, Loader) if document]


def values(case):
    return documents((TESTS / f"values/{case}.yaml").read_text(encoding="utf-8"))[0]


def binary():
    """The release binary that the system tests run too."""
    path = os.environ.get("SLUICE_TEST_BINARY")
    if not path:
        raise unittest.TestCase.failureException("SLUICE_TEST_BINARY must name the binary: scripts/build prints it")
    return path
