"""Looks at a command line of helm: the chart and its files exist, flags are Helm's, and values that are set are the chart's."""
import sys
from pathlib import Path

import yaml

CHARTED = {"install", "upgrade", "template", "lint"}
OTHERS = {"uninstall", "test", "status", "list", "history", "rollback", "get", "version"}
WITH_VALUE = {"--namespace", "-n", "--set", "--set-string", "--set-json", "--values", "-f", "--timeout", "--version"}
ALONE = {
    "--create-namespace", "--install", "--wait", "--atomic", "--reset-then-reuse-values", "--reuse-values", "--reset-values",
    "--dry-run", "--no-hooks", "--take-ownership", "--logs", "--include-crds", "--debug",
}


def fail(text):
    sys.exit(f"helm: {text}")


def expect_value(values, setting):
    node = values
    for part in setting.split("=")[0].replace("\\.", "\0").split("."):
        part = part.replace("\0", ".").split("[")[0]
        if not isinstance(node, dict):
            return
        if part not in node:
            # A map that is empty by default takes any key.
            return fail(f"the chart has no value {setting}") if node else None
        node = node[part]


def main(arguments):
    command = arguments[0]
    if command not in CHARTED | OTHERS:
        fail(f"unknown command {command}")
    names, settings, files = [], [], []
    rest = iter(arguments[1:])
    for word in rest:
        flag, _, value = word.partition("=")
        if flag in WITH_VALUE:
            value = value or next(rest, "")
            if flag.startswith("--set"):
                settings += value.split(",")
            elif flag in ("-f", "--values"):
                files.append(value)
        elif word.startswith("-"):
            if flag not in ALONE:
                fail(f"{command} has no flag {word} that is known here")
        else:
            names.append(word)
    if command not in CHARTED:
        return
    chart = Path(names[-1] if names else "")
    if not (chart / "Chart.yaml").is_file():
        fail(f"{command}: there is no chart at {chart}")
    values = yaml.safe_load((chart / "values.yaml").read_text(encoding="utf-8"))
    for setting in settings:
        expect_value(values, setting)
    for file in files:
        for key in yaml.safe_load(Path(file).read_text(encoding="utf-8")) or {}:
            if key not in values:
                fail(f"{file}: the chart has no value {key}")


main(sys.argv[1:])
