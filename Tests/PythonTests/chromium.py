"""A real browser without a window, led over Chromium's DevTools protocol by a pair of pipes."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time
from typing import Any

from harness import PATIENCE, Json, NotPossible, die_with_parent


class Chromium:
    def __init__(self) -> None:
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        if program is None:
            raise NotPossible("there is no chromium; apt-get install chromium")
        self.directory = tempfile.TemporaryDirectory(prefix="trade-executor-test-")
        its_input, self.to = os.pipe()
        self.out, its_output = os.pipe()
        flags = [
            *("--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu"),
            *("--hide-scrollbars", "--disable-dev-shm-usage", "--disable-extensions"),
            *("--disable-background-networking", f"--user-data-dir={self.directory.name}"),
            # In a container there is often no other way. It opens our own page only.
            "--no-sandbox",
            "about:blank",
        ]
        # It reads from descriptor 3 and writes to 4.
        line = f'exec 3<&{its_input} 4>&{its_output}; exec "$@"'
        with (pathlib.Path(self.directory.name) / "chromium.log").open("wb") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", line, "chromium", program, *flags],
                pass_fds=(its_input, its_output),
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )
        os.close(its_input)
        os.close(its_output)
        self.received = b""
        self.number = 0
        self.session: str | None = None
        # What a page does wrong: exceptions, refusals of the policy, requests to elsewhere.
        self.complaints: list[str] = []
        self.requests: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(f"{domain}.enable")

    def __enter__(self) -> Chromium:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.out)
        # Its children may still write for a moment.
        for _attempt in range(50):
            try:
                self.directory.cleanup()
                return
            except OSError:
                time.sleep(0.1)

    def call(self, method: str, **parameters: Any) -> Json:
        self.number += 1
        message: Json = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while True:
            assert time.monotonic() < end, f"chromium does not answer {method}"
            answer = self._next(end)
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer["error"])
                result: Json = answer["result"]
                return result

    def _next(self, end: float) -> Json:
        while b"\0" not in self.received:
            ready, _, _ = select.select([self.out], [], [], max(0, end - time.monotonic()))
            assert ready, "chromium is silent"
            chunk = os.read(self.out, 1 << 20)
            assert chunk, "chromium has ended"
            self.received += chunk
        text, self.received = self.received.split(b"\0", 1)
        message: Json = json.loads(text)
        self._note(message)
        return message

    def _note(self, message: Json) -> None:
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(message["params"]["exceptionDetails"]))
            case "Log.entryAdded" if message["params"]["entry"]["level"] == "error":
                self.complaints.append(json.dumps(message["params"]["entry"]))
            case "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            case "Page.javascriptDialogOpening":
                self.complaints.append("a dialog opens: " + message["params"]["message"])

    # --- What a test does

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def evaluate(self, expression: str) -> Any:
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        found = self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")
        return str(found)

    def count(self, selector: str) -> int:
        return int(self.evaluate(f"document.querySelectorAll({json.dumps(selector)}).length"))

    def click(self, selector: str) -> None:
        """With a real mouse, in the middle of it."""
        place = self.evaluate(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2] })()"
        )
        for kind in ["mousePressed", "mouseReleased"]:
            self.call(
                "Input.dispatchMouseEvent",
                **{"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1},
            )

    def screen(self, width: int, height: int, *, dark: bool = False) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path: pathlib.Path, *, whole: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(data["data"]))
