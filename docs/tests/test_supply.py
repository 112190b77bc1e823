"""What docs/security.md says of the supply chain: the lists of libraries and of parts hold all that a running gateway has loaded, a library
without a purpose is refused, and wheels are of one version."""
import json
import pathlib
import re
import shutil
import subprocess
import unittest

from session import ROOT, binary


def loaded(process):
    """Names of the shared libraries in the memory of a process."""
    maps = pathlib.Path(f"/proc/{process}/maps").read_text(encoding="utf-8")
    return {pathlib.Path(path) for path in re.findall(r"\s(/\S+\.so(?:\.\S+)?)$", maps, re.MULTILINE)}


def run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120)


class Supply(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # A gateway that is up has loaded what it loads: `sluice echo` is the same program.
        with subprocess.Popen([binary(), "echo", "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
            try:
                process.stdout.readline()
                cls.libraries = loaded(process.pid)
            finally:
                process.kill()

    def test_each_loaded_library_has_a_purpose(self):
        listed = run(ROOT / "scripts/libraries", binary())
        self.assertEqual(listed.returncode, 0, listed.stderr)
        rows = {line.split()[0] for line in listed.stdout.splitlines()}
        self.assertGreater(len(self.libraries), 10)
        # The file's name may be longer than the one that it is asked for by.
        missing = [path.name for path in self.libraries if not any(f"{path.name}.".startswith(f"{name}.") for name in rows)]
        self.assertEqual(missing, [])

    def test_each_loaded_library_is_in_the_bill(self):
        bill = json.loads(run(ROOT / "scripts/sbom", binary()).stdout)
        names = {part["name"] for part in bill["components"]}
        for path in self.libraries:
            if path.name.startswith(("libswift", "libdispatch", "libBlocksRuntime", "lib_Foundation", "libFoundation")):
                continue
            found = run("dpkg-query", "--search", path)
            if found.returncode:
                found = run("dpkg-query", "--search", str(path).removeprefix("/usr"))
            package = found.stdout.split(":")[0]
            with self.subTest(path.name):
                self.assertIn(package, names)

    def test_a_library_without_a_purpose_is_refused(self):
        refused = run(ROOT / "scripts/libraries", shutil.which("ps"))
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stderr, r"libproc\S+ \(.*has no purpose in scripts/libraries")

    def test_wheels_are_of_one_version(self):
        setup = (ROOT / "scripts/setup").read_text(encoding="utf-8")
        wheels = [name for group in re.findall(r"_wheels=\(([^)]*)\)", setup) for name in re.findall(r"'([^']+)'", group)]
        self.assertGreater(len(wheels), 12)
        self.assertEqual([name for name in wheels if not re.fullmatch(r"[\w\[\].-]+==[\w!.]+", name)], [])


if __name__ == "__main__":
    unittest.main()
