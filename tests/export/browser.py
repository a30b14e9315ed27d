"""A page in a headless Chromium, asked in the DevTools protocol over a pipe."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--remote-debugging-pipe"]
SECONDS = 120


class Page:
    """A page of a browser that ends with the `with` block.

    Args:
        address: What is opened.
        home: A folder for the browser's own files.
    """

    def __init__(self, address, home):
        (theirs, self.to), (self.back, their_back) = os.pipe(), os.pipe()
        # Chromium reads from 3 and writes to 4.
        command = ["bash", "-c", f'exec "$@" 3<&{theirs} 4>&{their_back}', "bash", CHROMIUM, *FLAGS,
                   f"--user-data-dir={Path(home) / 'user'}"]
        self.process = subprocess.Popen(command, pass_fds=(theirs, their_back), stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        os.close(theirs)
        os.close(their_back)
        self.reader, self.number, self.session = open(self.back, "rb", closefd=False), 0, None
        target = self.call("Target.createTarget", url=address)["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.back)

    def call(self, method, **parameters):
        """Return the result of a call."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        os.write(self.to, json.dumps(message | ({"sessionId": self.session} if self.session else {})).encode() + b"\0")
        while True:
            answer = json.loads(self._line())
            if answer.get("id") == self.number:
                return answer.get("result", answer)

    def _line(self):
        found = bytearray()
        while (byte := self.reader.read(1)) != b"\0":
            assert byte, "the browser ended"
            found += byte
        return found

    def wait(self, expression):
        """Return what an expression, or its promise, comes to, when that is not nothing."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
            if found := answer.get("result", {}).get("value"):
                return found
            time.sleep(0.2)
        raise AssertionError(f"not in {SECONDS} seconds: {expression}, {answer}")
