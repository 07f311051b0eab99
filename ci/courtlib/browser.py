"""A headless Chromium over the pipe of its DevTools protocol, for the tests of the page."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")
KEYS = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40,
        "Tab": 9, "End": 35, "Home": 36, "PageDown": 34}


def found():
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One page. What it logs, throws and requests is kept in `log`, `errors` and `requests`."""

    def __init__(self, width=1280, height=900, dark=False, seconds=60):
        self.log, self.errors, self.requests = [], [], []
        self._events, self._number, self._rest, self._seconds = [], 0, b"", seconds
        self._folder = tempfile.TemporaryDirectory(prefix="sipws-chromium-")
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()

        def pipes():  # Chromium reads its third descriptor and writes its fourth
            a, b = os.dup(to_read), os.dup(to_write)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self._child = subprocess.Popen(
            [found(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--no-first-run", "--disable-extensions", "--disable-background-networking", "--remote-debugging-pipe",
             f"--user-data-dir={self._folder.name}", f"--window-size={width},{height}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=pipes, close_fds=False, start_new_session=True)
        os.close(to_read)
        os.close(to_write)
        target = next(t for t in self.call("Target.getTargets", session=None)["targetInfos"] if t["type"] == "page")
        self._session = self.call("Target.attachToTarget", session=None, targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.size(width, height)
        self.scheme(dark)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close", session=None)
            self._child.wait(10)
        except (OSError, RuntimeError, subprocess.TimeoutExpired):
            self._child.kill()
            self._child.wait()
        os.close(self._to)
        os.close(self._from)
        self._folder.cleanup()

    def call(self, method, session="page", **params):
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + self._seconds
        while True:
            answer = self._next(end)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._note(answer)

    def _next(self, end):
        while b"\0" not in self._rest:
            if not select.select([self._from], [], [], max(0, end - time.monotonic()))[0]:
                raise RuntimeError(f"Chromium did not answer within {self._seconds} s")
            got = os.read(self._from, 1 << 20)
            if not got:
                raise RuntimeError("Chromium ended")
            self._rest += got
        line, _, self._rest = self._rest.partition(b"\0")
        return json.loads(line)

    def _note(self, event):
        method, params = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled":
            self.log.append(" ".join(str(a.get("value")) for a in params["args"]))
        elif method == "Log.entryAdded":
            self.log.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        self._events.append(method)

    def open(self, url):
        self._events.clear()
        self.call("Page.navigate", url=url)
        end = time.monotonic() + self._seconds
        while "Page.loadEventFired" not in self._events:
            self._note(self._next(end))

    def value(self, expression):
        """What an expression of JavaScript gives, as Python has it."""
        got = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in got:
            raise RuntimeError(got["exceptionDetails"].get("exception", {}).get("description", "an exception"))
        return got["result"].get("value")

    def metric(self, name):
        return next(m["value"] for m in self.call("Performance.getMetrics")["metrics"] if m["name"] == name)

    def key(self, key, times=1):
        code = {"key": key, "windowsVirtualKeyCode": KEYS.get(key, ord(key[0].upper()))}
        text = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
        for _ in range(times):
            self.call("Input.dispatchKeyEvent", type="keyDown", **code, **text)
            self.call("Input.dispatchKeyEvent", type="keyUp", **code)

    def type(self, text):
        for letter in text:
            self.key(letter)

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def scheme(self, dark):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def screenshot(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
