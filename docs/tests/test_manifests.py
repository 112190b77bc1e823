"""Every manifest in examples/ and manifests/ passes `sluice check`, with the certificates that the examples make."""
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from pages import ROOT
from test_pages import check, complaints

# Each of these is wrong on purpose, and has tests of its own; the files of protocols are for a cluster, one by one.
APART = {"broken", "protocols", "kubernetes"}


class Manifests(unittest.TestCase):
    def expect_accepted(self, folder, *more):
        answer = check(folder, *more)
        self.assertTrue(answer["accepted"], complaints(answer))
        self.assertGreater(len(answer["objects"]), 0)

    def certificates(self, folder, texts):
        names = sorted(set(re.findall(r"^  hostnames: \[([^\]]+)\]", texts, re.M))) or ["x.example.com"]
        names = ",".join(name.replace(" ", "") for name in names)
        subprocess.run(
            [ROOT / "examples/certificates", folder, names, "web=spiffe://example.com/ns/shop/sa/web"], check=True)

    def test_folders_of_examples(self):
        folders = [path for path in sorted((ROOT / "examples").iterdir()) if path.is_dir() and path.name not in APART]
        self.assertGreaterEqual(len(folders), 7)
        for source in folders:
            with self.subTest(source.name), tempfile.TemporaryDirectory() as name:
                folder = Path(name) / source.name
                shutil.copytree(source, folder)
                texts = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.yaml"))
                if "certificateRefs" in texts:
                    self.certificates(folder, texts)
                if "crlRefs" in texts:
                    subprocess.run([ROOT / "examples/revoke", folder], check=True)
                self.expect_accepted(folder)

    def test_files_for_a_cluster(self):
        files = sorted((ROOT / "examples/protocols").glob("*.yaml")) + sorted((ROOT / "examples/kubernetes").glob("*.yaml"))
        self.assertGreaterEqual(len(files), 14)
        for file in files:
            with self.subTest(file.name), tempfile.TemporaryDirectory() as name:
                self.certificates(name, file.read_text(encoding="utf-8"))
                self.expect_accepted(file, Path(name) / "certificates.yaml")

    def test_manifests(self):
        files = sorted((ROOT / "manifests").rglob("*.yaml"))
        self.assertGreaterEqual(len(files), 4)
        for file in files:
            with self.subTest(str(file.relative_to(ROOT))):
                answer = check(file)
                self.assertTrue(answer["accepted"], complaints(answer))


if __name__ == "__main__":
    unittest.main()
