"""Judges objects as an API server does whose CustomResourceDefinition is in a file: strict decoding, defaults, structural
schema, then CEL rules. Written after what kube-apiserver 1.36 answers; the expected answers are its own.

    definition_peer.py DEFINITION FILE…

One JSON object a line for each file: name, valid, errors (field, type, message), rulesSkipped, defaulted. For the
definition itself first: name "definition", errors where it lets the CEL budget be exceeded or is no structural schema.
"""

import json
import os
import re
import sys

import celpy
import yaml
from definition_functions import FUNCTIONS

Loader = type("Loader", (yaml.SafeLoader,), {})
# As in sigs.k8s.io/yaml, a date is text.
Loader.yaml_implicit_resolvers = {
    first: [entry for entry in entries if entry[0] != "tag:yaml.org,2002:timestamp"]
    for first, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

# After one of these the server checks no rule of the whole object.
SKIPPING = {"FieldValueTypeInvalid", "FieldValueRequired", "FieldValueNotSupported", "FieldValueTooMany", "FieldValueTooLong"}


class KeyTwice(Exception):
    pass


def whole_mapping(loader, node):
    """A mapping of which no key is there twice; the server's decoder says nothing else of an object where one is."""
    seen = set()
    for key, _ in node.value:
        if key.value in seen:
            line = key.start_mark.line + 1
            raise KeyTwice(f'line {line}: key {json.dumps(key.value)} already set in map')
        seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


Loader.add_constructor("tag:yaml.org,2002:map", whole_mapping)


class Judge:
    def __init__(self, definition):
        self.kind = definition["spec"]["names"]["kind"]
        version = definition["spec"]["versions"][0]
        self.version = version["name"]
        self.schema = version["schema"]["openAPIV3Schema"]
        self.environment = celpy.Environment()
        self.programs = {}

    def judge(self, document):
        root = {key: value for key, value in document.items() if key not in ("apiVersion", "kind", "metadata")}
        self.errors, self.defaulted, self.malformed = [], {}, set()
        unknown = list(self.unknown(root, self.schema, ""))
        if unknown:
            return self.refused(", ".join(f'unknown field "{path}"' for path in unknown), unknown[0])
        self.default(root, self.schema, "")
        self.check(root, self.schema, "")
        skipped = any(error["type"] in SKIPPING for error in self.errors)
        if not skipped:
            self.rules(root, self.schema, "")
        errors = sorted(self.errors, key=lambda error: (error["field"], error["type"], error["message"]))
        return {"valid": not errors, "errors": errors, "rulesSkipped": skipped, "defaulted": self.defaulted}

    def refused(self, text, field=""):
        """What strict decoding says; nothing else is looked at."""
        message = f'{self.kind} in version "{self.version}" cannot be handled as a {self.kind}: strict decoding error: {text}'
        error = {"field": field, "type": "BadRequest", "message": message}
        return {"valid": False, "errors": [error], "rulesSkipped": False, "defaulted": {}}

    def error(self, field, kind, message):
        self.errors.append({"field": field, "type": kind, "message": message})

    def unknown(self, value, schema, path):
        if isinstance(value, dict):
            for key, inner in value.items():
                below = f"{path}.{key}" if path else str(key)
                if key in schema.get("properties", {}):
                    yield from self.unknown(inner, schema["properties"][key], below)
                elif "additionalProperties" in schema:
                    yield from self.unknown(inner, schema["additionalProperties"], below)
                else:
                    yield below
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from self.unknown(inner, schema.get("items", {}), f"{path}[{index}]")

    def default(self, value, schema, path):
        if isinstance(value, dict):
            for key in [key for key, inner in value.items() if inner is None]:
                del value[key]
            for key, inner in schema.get("properties", {}).items():
                below = f"{path}.{key}" if path else key
                if key not in value and "default" in inner:
                    value[key] = inner["default"]
                    self.defaulted[below] = inner["default"]
            for key, inner in value.items():
                below = f"{path}.{key}" if path else str(key)
                inside = schema.get("properties", {}).get(key) or schema.get("additionalProperties") or {}
                self.default(inner, inside, below)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self.default(inner, schema.get("items", {}), f"{path}[{index}]")

    def check(self, value, schema, path):
        named = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
        found = next(
            name
            for name, kind in [("boolean", bool), *named.items()]
            if isinstance(value, kind) and not (name in ("integer", "number") and isinstance(value, bool))
        )
        wanted = found if schema.get("x-kubernetes-int-or-string") and found in ("integer", "string") else schema.get("type", "string")
        fits = found == wanted or (wanted == "number" and found == "integer")
        if not fits:
            self.error(
                path, "FieldValueTypeInvalid",
                f'Invalid value: "{found}": {path} in body must be of type {wanted}: "{found}"')
        shown = json.dumps(value, ensure_ascii=False)
        if "enum" in schema and value not in schema["enum"]:
            supported = ", ".join(json.dumps(entry) for entry in schema["enum"])
            self.error(path, "FieldValueNotSupported", f"Unsupported value: {shown}: supported values: {supported}")
        if fits:
            getattr(self, f"check_{found}", self.check_number)(value, shown, schema, path)

    def check_boolean(self, value, shown, schema, path):
        pass

    def check_number(self, value, shown, schema, path):
        if value < schema.get("minimum", value):
            self.invalid(path, shown, f"should be greater than or equal to {schema['minimum']}")
        if value > schema.get("maximum", value):
            self.invalid(path, shown, f"should be less than or equal to {schema['maximum']}")

    def check_string(self, value, shown, schema, path):
        if len(value) > schema.get("maxLength", len(value)):
            self.error(path, "FieldValueTooLong", f"Too long: may not be more than {schema['maxLength']} bytes")
        elif len(value) < schema.get("minLength", 0):
            self.invalid(path, shown, f"should be at least {schema['minLength']} chars long")
        elif "pattern" in schema and not re.search(schema["pattern"], value):
            self.invalid(path, shown, f"should match '{schema['pattern']}'")
            self.malformed.add(path)

    def check_array(self, value, shown, schema, path):
        count = len(value)
        if count > schema.get("maxItems", count):
            self.error(path, "FieldValueTooMany", f"Too many: {count}: must have at most {schema['maxItems']} items")
        if count < schema.get("minItems", 0):
            self.invalid(path, count, f"should have at least {schema['minItems']} items")
        kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys", [])
        seen = []
        for index, inner in enumerate(value):
            self.check(inner, schema["items"], f"{path}[{index}]")
            identity = {key: inner.get(key) for key in keys} if kind == "map" else inner
            if kind in ("map", "set") and identity in seen:
                duplicate = json.dumps(identity, separators=(",", ":"))
                self.error(f"{path}[{index}]", "FieldValueDuplicate", f"Duplicate value: {duplicate}")
            seen.append(identity)

    def check_object(self, value, shown, schema, path):
        count = len(value)
        if count > schema.get("maxProperties", count):
            self.error(path, "FieldValueTooMany", f"Too many: {count}: must have at most {schema['maxProperties']} items")
        if count < schema.get("minProperties", 0):
            self.invalid(path, count, f"should have at least {schema['minProperties']} properties")
        for key in schema.get("required", []):
            if key not in value:
                self.error(f"{path}.{key}" if path else key, "FieldValueRequired", "Required value")
        for key, inner in value.items():
            inside = schema.get("properties", {}).get(key) or schema.get("additionalProperties")
            self.check(inner, inside, f"{path}.{key}" if path else str(key))

    def invalid(self, path, shown, text):
        self.error(path, "FieldValueInvalid", f"Invalid value: {shown}: {path} in body {text}")

    def rules(self, value, schema, path):
        for rule in schema.get("x-kubernetes-validations", []):
            try:
                if self.evaluate(rule["rule"], value):
                    continue
            except celpy.CELEvalError:
                # What is no duration cannot be compared; the pattern has said so, here or further in.
                if not any(f"{inner}.".startswith(f"{path}.") for inner in self.malformed):
                    raise
                continue
            shown = "" if isinstance(value, (dict, list)) else json.dumps(value, ensure_ascii=False) + ": "
            self.error(path, "FieldValueInvalid", f"Invalid value: {shown}{rule['message']}")
        if isinstance(value, dict):
            for key, inner in value.items():
                inside = schema.get("properties", {}).get(key) or schema.get("additionalProperties")
                self.rules(inner, inside, f"{path}.{key}" if path else str(key))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                self.rules(inner, schema["items"], f"{path}[{index}]")

    def evaluate(self, rule, value):
        if rule not in self.programs:
            tree = self.environment.compile(rule)
            self.programs[rule] = self.environment.program(tree, functions=FUNCTIONS)
        return bool(self.programs[rule].evaluate({"self": celpy.json_to_cel(value)}))

    def faults(self):
        """What would make an API server refuse the definition, or rules that cost too much."""
        return sorted(self.faults_below(self.schema["properties"]["spec"], "spec"))

    def faults_below(self, schema, path):
        kind = schema.get("type")
        if schema.get("x-kubernetes-int-or-string"):
            kind = "string"
        if kind not in ("object", "array", "string", "boolean", "integer"):
            yield f"{path}: type {kind}"
        if kind == "string" and "maxLength" not in schema and "enum" not in schema:
            yield f"{path}: neither maxLength nor enum"
        ranges = {"int32": ("minimum", "maximum"), "int64": ("minimum",)}
        if kind == "integer" and not all(limit in schema for limit in ranges.get(schema.get("format"), ("format",))):
            yield f"{path}: no format with its range"
        if kind == "array":
            if "maxItems" not in schema:
                yield f"{path}: no maxItems"
            if schema.get("x-kubernetes-list-type") not in ("atomic", "set", "map"):
                yield f"{path}: no list type"
            yield from self.faults_below(schema["items"], f"{path}[]")
        if "additionalProperties" in schema:
            if "maxProperties" not in schema:
                yield f"{path}: no maxProperties"
            yield from self.faults_below(schema["additionalProperties"], f"{path}.*")
        for key in schema.get("required", []):
            if key not in schema.get("properties", {}):
                yield f"{path}.{key}: required, but not defined"
        for rule in schema.get("x-kubernetes-validations", []):
            if not rule.get("message") or "\n" in rule["message"]:
                yield f"{path}: a rule without a message of one line"
            self.environment.compile(rule["rule"])
        for key, inner in schema.get("properties", {}).items():
            yield from self.faults_below(inner, f"{path}.{key}")


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader)


def main(definition, *files):
    judge = Judge(load(definition))
    print(json.dumps({"name": "definition", "faults": judge.faults()}))
    for path in files:
        name = os.path.splitext(os.path.basename(path))[0]
        try:
            answer = judge.judge(load(path))
        except KeyTwice as twice:
            answer = judge.refused(f"yaml: unmarshal errors:\n  {twice}")
        print(json.dumps({"name": name, **answer}))


main(*sys.argv[1:])
