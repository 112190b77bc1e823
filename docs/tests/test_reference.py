"""docs/reference/cli.md has every command and every flag."""
import re
import unittest

import commands
from pages import ROOT

FLAG = re.compile(r"^\s+(?:-\w, )?(--[a-z-]+)", re.M)


def read(name):
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


class Reference(unittest.TestCase):
    def test_every_command_and_flag_is_described(self):
        sections = {text.split("\n")[0]: text for text in read("reference/cli.md").split("\n## ")}
        listed = re.search(r"^Commands:\n(.*?)\n\n", commands.help_of(), re.M | re.S)
        names = re.findall(r"^  ([a-z]+) ", listed.group(1), re.M)
        self.assertGreaterEqual(len(names), 13)
        # Of these two others refer to the section of another command.
        whom = sections["connections"]
        fields = {self.flag(name) for name in re.findall(r"`([a-zA-Z]+)`", read("admin.md"))}
        for name in names:
            if name == "help":
                continue
            with self.subTest(name):
                self.assertIn(name, sections)
                text = sections[name] + whom + (sections["explain"] if name == "trace" else "")
                missing = [
                    flag for flag in FLAG.findall(commands.help_of(name))
                    if not re.search(f"{flag}(?![a-z-])", text) and not (name == "connections" and flag in fields)]
                self.assertEqual(missing, [])

    def flag(self, field):
        """`--min-age` for minAge."""
        return "--" + re.sub(r"(?<=[a-z])([A-Z]+)", lambda match: "-" + match.group(1).lower(), field)


if __name__ == "__main__":
    unittest.main()
