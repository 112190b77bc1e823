"""Links between the files of the project lead somewhere, to the heading too."""
import re
import unittest
from functools import cache
from pathlib import Path

from pages import Page, ROOT, all_pages


@cache
def anchors(path):
    return set(Page(path).anchors())


class Links(unittest.TestCase):
    def test_links_lead_somewhere(self):
        count = 0
        for page in all_pages():
            for number, link in page.links():
                if "://" in link or link.startswith("mailto:"):
                    continue
                target, _, heading = link.partition("#")
                path = (page.path.parent / target).resolve() if target else page.path
                with self.subTest(f"{page.name}:{number}: {link}"):
                    self.assertTrue(path.exists(), "there is no such file")
                    self.assertTrue(path.is_relative_to(ROOT), "it leads out of the project")
                    if heading and path.suffix == ".md":
                        self.assertIn(heading, anchors(path), "there is no such heading")
                count += 1
        self.assertGreater(count, 300)

    def test_every_page_is_in_the_index(self):
        """docs/README.md leads to every page below docs/."""
        index = Page(ROOT / "docs/README.md")
        linked = {(index.path.parent / link.partition("#")[0]).resolve() for _, link in index.links() if "://" not in link}
        for path in sorted((ROOT / "docs").rglob("*.md")):
            if path != index.path and "tests" not in path.relative_to(ROOT / "docs").parts:
                with self.subTest(str(Path(path).relative_to(ROOT))):
                    self.assertIn(path.resolve(), linked)

    def test_causes_have_their_names(self):
        """What a how-to says can go wrong is called as the reference calls it, or as a condition's reason."""
        reference = "".join(
            (ROOT / "docs" / name).read_text(encoding="utf-8")
            for name in ("reference/reasons.md", "client-policy.md", "backend-policy.md", "reference/parameters.md"))
        sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "Sources/KubernetesAPI").glob("*Condition*.swift"))
        count = 0
        for path in sorted((ROOT / "docs/how-to").glob("*.md")):
            _, _, section = path.read_text(encoding="utf-8").partition("## What can go wrong")
            for cause in re.findall(r"^\| `([^`]+)` \|", section, re.M):
                name = cause[0].lower() + cause[1:]
                with self.subTest(f"{path.name}: {cause}"):
                    self.assertTrue(f"`{cause}`" in reference or f'"{cause}"' in sources or f"let {name} " in sources, cause)
                count += 1
        self.assertGreater(count, 20)


if __name__ == "__main__":
    unittest.main()
