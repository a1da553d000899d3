"""Drive a headless Chromium, to look at pages as a reader would.

It is spoken to by the Chrome DevTools protocol, over a pair of pipes: no
driver, no port and no further package is needed.
https://chromedevtools.github.io/devtools-protocol/
"""

import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from base64 import b64decode

NAMES = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
]
OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
]
TIMEOUT = 120  # seconds, far above what a page takes on a busy machine
KEYS = {"Tab": 9, "Enter": 13, "Space": 32, "End": 35, "Home": 36,
        "PageUp": 33, "PageDown": 34,
        "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39,
        "ArrowDown": 40}  # fmt: skip


def executable():
    """Path of a browser, which ``CHROME`` may name; None if there is none."""
    if os.name != "posix":
        return None
    found = map(shutil.which, [os.environ.get("CHROME", ""), *NAMES])
    return next(filter(None, found), None)


def spawn(command, commands, answers):
    """Start a browser that reads commands from a pipe and answers on one."""
    # It does so by descriptors 3 and 4, which may be in use here.
    high = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (commands, answers)]
    quiet = [
        (os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0)
        for number in (1, 2)
    ]
    moved = [(os.POSIX_SPAWN_DUP2, end, 3 + i) for i, end in enumerate(high)]
    process = os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=quiet + moved,
        setsid=True,
    )
    for end in high:
        os.close(end)
    return process


class Browser:
    """A browser with one page, whose console and requests are recorded.

    Attributes
    ----------
    requests : list of str
        Addresses that the page has asked for since `open`.
    complaints : list of str
        What its console has been told of warnings and errors, and what its
        scripts have raised.
    """

    def __init__(self):
        self.requests, self.complaints = [], []
        self._number, self._buffer = 0, b""
        self._answers, self._session = {}, None
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        folder = f"--user-data-dir={self._profile.name}"
        options = [*OPTIONS, folder, "about:blank"]
        self._process = spawn([executable(), *options], commands, answers)
        os.close(commands)
        os.close(answers)
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        self._session = self.call(
            "Target.attachToTarget", targetId=page, flatten=True
        )["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._write)
        os.close(self._read)
        end = time.monotonic() + 10
        while os.waitpid(self._process, os.WNOHANG) == (0, 0):
            if time.monotonic() > end:
                os.killpg(self._process, signal.SIGKILL)
            time.sleep(0.02)
        self._profile.cleanup()

    def call(self, method, **params):
        """Send a command and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data) :]
        self._listen(lambda: self._number in self._answers, method)
        answer = self._answers.pop(self._number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _listen(self, done, what):
        end = time.monotonic() + TIMEOUT
        while not done():
            left = end - time.monotonic()
            if not select.select([self._read], [], [], max(left, 0))[0]:
                raise TimeoutError(f"the browser does not answer: {what}")
            data = os.read(self._read, 1 << 16)
            if not data:
                raise RuntimeError(f"the browser has closed: {what}")
            *messages, self._buffer = (self._buffer + data).split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    self._answers[message["id"]] = message
                else:
                    self._note(message["method"], message["params"])

    def _note(self, method, params):
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            thrown = details.get("exception", {}).get("description", "")
            self.complaints.append(f"{details['text']} {thrown}")
        elif method == "Runtime.consoleAPICalled":
            if params["type"] in ("error", "warning", "assert"):
                values = [a.get("value", "") for a in params["args"]]
                self.complaints.append(" ".join(map(str, values)))

    def open(self, address, width=1280, height=900, touch=False, dark=False):
        """Go to a page, and wait until its formulas are set."""
        self.resize(width, height, touch)
        self.prefer(dark=dark)
        self.run("left = true")
        self.requests.clear()
        self.complaints.clear()
        self.call("Page.navigate", url=str(address))
        self.until("!self.left && document.readyState == 'complete'")
        self.run("window.MathJax?.startup?.promise")

    def resize(self, width, height, touch=False):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=touch,
        )
        self.call("Emulation.setTouchEmulationEnabled", enabled=touch)

    def prefer(self, dark=False, still=False, media=""):
        """Set what the system would: colours, motion, and what is drawn."""
        features = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce" if still else "no-preference",
        }
        self.call(
            "Emulation.setEmulatedMedia",
            media=media,
            features=[{"name": n, "value": v} for n, v in features.items()],
        )

    def run(self, script, *arguments):
        """Value of an expression, or of a function of values; waits for it."""
        if arguments:
            given = ", ".join(map(json.dumps, arguments))
            script = f"({script})({given})"
        result = self.call(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in result:
            thrown = result["exceptionDetails"]
            raise RuntimeError(
                thrown.get("exception", {}).get("description", thrown["text"])
            )
        return result["result"].get("value")

    def until(self, condition):
        """Wait for an expression to become true."""
        end = time.monotonic() + TIMEOUT
        while not self.run(condition):
            if time.monotonic() > end:
                raise TimeoutError(condition)
            time.sleep(0.02)

    def press(self, key):
        """Press and release a key."""
        code = KEYS[key]
        text = {"Space": " ", "Enter": "\r"}.get(key, "")
        event = {
            "key": text.strip() or key if key != "Space" else " ",
            "code": key,
            "windowsVirtualKeyCode": code,
        }
        self.call(
            "Input.dispatchKeyEvent",
            type="keyDown" if text else "rawKeyDown",
            text=text,
            **event,
        )
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def type(self, text):
        """Write into what has the focus."""
        self.call("Input.insertText", text=text)

    def forget(self):
        """Drop what pages from the disk have stored."""
        self.call(
            "Storage.clearDataForOrigin",
            origin="file:///",
            storageTypes="local_storage",
        )

    def drag(self, start, end, steps=4, touch=False):
        """Drag from one point of the window to another."""
        points = [
            [a + (b - a) * i / steps for a, b in zip(start, end)]
            for i in range(steps + 1)
        ]
        if touch:
            for i, (x, y) in enumerate(points):
                self.call(
                    "Input.dispatchTouchEvent",
                    type="touchMove" if i else "touchStart",
                    touchPoints=[{"x": x, "y": y}],
                )
            self.call(
                "Input.dispatchTouchEvent", type="touchEnd", touchPoints=[]
            )
            return
        self._mouse("mouseMoved", points[0])
        self._mouse("mousePressed", points[0], clickCount=1)
        for point in points[1:]:
            self._mouse("mouseMoved", point)
        self._mouse("mouseReleased", points[-1], clickCount=1)

    def click(self, point):
        self.drag(point, point, steps=1)

    def _mouse(self, kind, point, **more):
        pressed = kind != "mouseReleased" and "clickCount" in more
        self.call(
            "Input.dispatchMouseEvent",
            type=kind,
            x=point[0],
            y=point[1],
            button="left",
            buttons=int(pressed or kind == "mouseMoved"),
            **more,
        )

    def picture(self, **options):
        """Bytes of a PNG of the window."""
        shot = self.call("Page.captureScreenshot", **options)
        return b64decode(shot["data"])
