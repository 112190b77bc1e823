"""A headless Chromium, by its DevTools protocol."""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.request

from websockets.sync.client import connect

PROGRAMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]


class Browser:
    """One tab. Errors of any kind that the page causes are collected in `faults`."""

    def __init__(self, width=1280, height=900):
        program = os.environ.get("SLUICE_TEST_BROWSER") or next(filter(None, map(shutil.which, PROGRAMS)), None)
        if program is None:
            raise SystemExit("no Chromium is installed; the tests of the status page need it. Run: scripts/setup build test")
        self.folder = tempfile.mkdtemp(prefix="sluice-browser-")
        flags = ["--headless=new", "--remote-debugging-port=0", f"--user-data-dir={self.folder}", "--no-first-run",
                 "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking",
                 "--hide-scrollbars", "--force-color-profile=srgb", "--font-render-hinting=none"]
        # Chromium's own sandbox does not start as root.
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        self.process = subprocess.Popen([program, *flags, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.faults, self.number = [], 0
        self.socket = connect(self.address(), max_size=None, compression=None)
        for domain in ["Page", "Runtime", "Log", "Accessibility", "Network"]:
            self.command(f"{domain}.enable")
        self.command("Emulation.setFocusEmulationEnabled", enabled=True)
        self.resize(width, height)

    def address(self):
        """The tab's WebSocket address, once the browser has written its port."""
        file, deadline = pathlib.Path(self.folder, "DevToolsActivePort"), time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            if file.exists() and "\n" in file.read_text():
                port = file.read_text().split("\n")[0]
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
                    tabs = [tab for tab in json.load(answer) if tab["type"] == "page"]
                if tabs:
                    return tabs[0]["webSocketDebuggerUrl"]
            time.sleep(0.05)
        raise SystemExit("Chromium did not start within 60 s")

    def close(self):
        try:
            self.command("Browser.close")
        except Exception:  # noqa: BLE001 - it may be gone before it answers
            self.process.kill()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv(60))
            if message.get("id") == self.number:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']}")
                return message["result"]
            self.note(message)

    def note(self, message):
        parameters = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                self.faults.append(details.get("exception", {}).get("description") or details["text"])
            case "Runtime.consoleAPICalled" if parameters["type"] in ("error", "warning", "assert"):
                self.faults.append(f"console: {[each.get('value') for each in parameters['args']]}")
            case "Log.entryAdded" if parameters["entry"]["level"] in ("error", "warning"):
                self.faults.append(f"{parameters['entry']['source']}: {parameters['entry']['text']}")
            case "Page.javascriptDialogOpening":
                self.faults.append(f"a dialog opened: {parameters['message']}")

    def take_faults(self):
        self.evaluate("1")
        faults, self.faults = self.faults, []
        return faults

    def open(self, url):
        self.command("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def evaluate(self, expression):
        result = self.command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, expression, seconds=60):
        """Until the expression is true of the page; returns its value."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = self.evaluate(expression)
            if value:
                return value
            time.sleep(0.03)
        text = self.evaluate("document.body.innerText.slice(0, 3000)")
        raise AssertionError(f"not within {seconds} s: {expression}\nfaults: {self.faults}\nThe page says:\n{text}")

    def wait_text(self, text, seconds=60):
        self.wait(f"document.body.innerText.includes({json.dumps(text)})", seconds)

    def element(self, selector, text=""):
        """JavaScript of the first visible element that matches and has the text, in its content or its accessible name."""
        return (f"[...document.querySelectorAll({json.dumps(selector)})].find((each) => each.checkVisibility() && "
                f"(each.innerText + ' ' + (each.ariaLabel ?? '')).includes({json.dumps(text)}))")

    def click(self, selector, text=""):
        """As a mouse does, in the middle of what is seen of the element."""
        found = self.element(selector, text)
        self.wait(f"Boolean({found})")
        self.evaluate(f"{found}.scrollIntoView({{block: 'center'}})")
        box = self.evaluate(f"(({found})?.getBoundingClientRect().toJSON())")
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"]:
            self.command("Input.dispatchMouseEvent", type=kind, x=box["x"] + box["width"] / 2, y=box["y"] + box["height"] / 2,
                         button="none" if kind == "mouseMoved" else "left", clickCount=0 if kind == "mouseMoved" else 1)

    def type(self, text):
        self.command("Input.insertText", text=text)

    def key(self, key, code=None, number=0):
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        numbers = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, "ArrowRight": 39, "ArrowLeft": 37}
        fields = {"key": key, "code": code or key, "windowsVirtualKeyCode": number or numbers.get(key, 0)}
        self.command("Input.dispatchKeyEvent", type="keyDown", **fields, **text)
        self.command("Input.dispatchKeyEvent", type="keyUp", **fields)

    def resize(self, width, height, scale=1, mobile=False):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile)

    def scheme(self, name):
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def screenshot(self, path):
        data = self.command("Page.captureScreenshot", format="png", optimizeForSpeed=False)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def tree(self):
        """The accessibility tree's nodes that are not ignored."""
        return [node for node in self.command("Accessibility.getFullAXTree")["nodes"] if not node.get("ignored")]
