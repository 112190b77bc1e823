"""Pictures of the status page for docs/: page_screenshots.py ADMIN-URL FOLDER. What they show is made up (page_standin.py)."""

import os
import sys

import browser
import page_check
import page_standin

OPEN_REDIS = """
const path = 'listener infra/edge/redis TCPRoute infra/redis';
for (const key of [path, `${path} 0`]) state.opened.set(key, true);
render();
"""

PICTURES = [
    # name, view, scheme, width, height, scale, what is done before
    ("status-light", "", "light", 1280, 1010, 1, ""),
    ("status-dark", "routes", "dark", 1280, 840, 1, OPEN_REDIS),
    ("status-why", "object/TLSRoute%20infra%2Fledger", "light", 1280, 840, 1, ""),
    ("status-phone", "", "dark", 360, 760, 2, ""),
]


def main():
    url, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    admin, tab = page_standin.StandIn(page_check.served_page(url)), browser.Browser()
    try:
        for name, place, scheme, width, height, scale, script in PICTURES:
            tab.scheme(scheme)
            tab.resize(width, height, scale, mobile=scale > 1)
            page_check.go(tab, admin, place)
            tab.evaluate(script)
            # Rates of objects need two looks.
            if place == "routes":
                tab.wait("document.querySelector('.tree').innerText.includes('MiB/s')")
            else:
                tab.wait_text("Create a ReferenceGrant")
            path = f"{folder}/{name}.png"
            tab.screenshot(path)
            size = os.path.getsize(path)
            assert size < 200_000, (path, size)
            print(f"{path} {size // 1024} KiB")
    finally:
        tab.close()


if __name__ == "__main__":
    main()
