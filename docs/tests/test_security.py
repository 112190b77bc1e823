"""docs/security.md names the tests that show what it says: each of them exists, and each threat names one or says that nothing stops it."""
import re
import unittest
from functools import cache

from pages import ROOT, Page

SWIFT = re.compile(r"`([A-Z]\w*Tests)\.(\w+)`")
FOLDER = re.compile(r"`((?:Golden|Conformance)/[\w-]+)`")
PYTHON = re.compile(r"`(test_\w+)\.([A-Z]\w+)\.(test_\w+)`")


@cache
def suites():
    """Suites of the Swift tests, with what all files of theirs say."""
    found = {}
    for path in (ROOT / "Tests").rglob("*.swift"):
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r"(?:struct|class|extension) (\w+Tests)\b", text):
            found[name] = found.get(name, "") + text
    return found


def missing(text):
    """Tests that a text names and that do not exist."""
    for suite, name in SWIFT.findall(text):
        # Declared as a test, and not merely called so.
        if not re.search(rf"@Test\b(?:(?!@Test).)*?\bfunc {name}\(", suites().get(suite, ""), re.S):
            yield f"{suite}.{name}"
    for folder in FOLDER.findall(text):
        path = ROOT / "Tests/TranslationTests" / folder
        if not path.is_dir() and not path.with_suffix(".yaml").is_file():
            yield folder
    for module, suite, name in PYTHON.findall(text):
        files = list((ROOT / "charts/tests").glob(f"{module}.py"))
        source = files[0].read_text(encoding="utf-8") if files else ""
        if not re.search(rf"^class {suite}\(.*?^    def {name}\(", source, re.S | re.M):
            yield f"{module}.{suite}.{name}"


def named(text):
    return SWIFT.findall(text) + FOLDER.findall(text) + PYTHON.findall(text)


class Security(unittest.TestCase):
    def setUp(self):
        self.text = (ROOT / "docs/security.md").read_text(encoding="utf-8")

    def test_every_test_that_is_named_exists(self):
        self.assertGreater(len(named(self.text)), 70)
        self.assertEqual(list(missing(self.text)), [])

    def test_every_threat_has_a_test_or_is_said_to_be_open(self):
        count, is_of_threats = 0, False
        for line in self.text.split("\n"):
            cells = [cell.strip() for cell in line.split("|")[1:-1]]
            if not cells:
                is_of_threats = False
            elif cells[-1] == "shown by":
                is_of_threats = True
            elif is_of_threats and cells[0] != "---":
                with self.subTest(cells[0]):
                    self.assertTrue(named(cells[2]) or "**" in cells[1], "neither a test nor that nothing stops it")
                count += 1
        self.assertGreater(count, 45)

    def test_a_test_that_is_not_there_is_found(self):
        wrong = "`LogLineTests.nothing` `NoTests.escapes` `Golden/nothing` `test_narrow.Narrow.test_nothing` `test_none.Any.test_b`"
        self.assertEqual(len(list(missing(wrong))), 5)
        self.assertEqual(list(missing("`LogLineTests.escapes` `Golden/guard` `Conformance/ListenerSetProtocolConflict`")), [])


if __name__ == "__main__":
    unittest.main()
