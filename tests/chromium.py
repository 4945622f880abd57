"""A real Chromium for tests, driven by its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

VARIABLE = "HERO_TEST_CHROMIUM"
"""A path; or `build`: Debian's package, which root gets where it is missing; without it, what is on PATH."""
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
SECONDS = 60.0
_FLAGS = (
    *("--headless", "--remote-debugging-port=0", "--no-first-run", "--disable-extensions", "--hide-scrollbars"),
    # Without a graphics card; and nothing is asked of the world outside.
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--no-proxy-server", "--no-pings"),
)


def program() -> str:
    """Where it is. Skips the test where there is none."""
    wanted = os.environ.get(VARIABLE, "")
    if wanted == "build":
        _install()
        wanted = ""
    found = wanted or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip(f"no Chromium: {VARIABLE} names one (Debian package: chromium-headless-shell)")
    if not os.access(found, os.X_OK):
        pytest.fail(f"{VARIABLE}={found} is no program")
    return found


def _install() -> None:
    """Debian's package, by whoever comes first; where it is not to be had, its tests are left out."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    lock = Path(tempfile.gettempdir()) / "hero-test-chromium.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if any(map(shutil.which, NAMES)):
            return
        apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["--no-install-recommends", "install", NAMES[0]]):
            subprocess.run([*apt, *words], env=quiet, capture_output=True, check=False)


class Page:
    """One tab."""

    def __init__(self, browser: Chromium, target: str, session: str):
        self._browser = browser
        self.target = target
        self.session = session

    async def send(self, method: str, **params: Any) -> Any:
        """A command of the DevTools protocol; its result."""
        return await self._browser.send(method, self.session, **params)

    async def go(self, url: str) -> None:
        """Load `url`, and wait until it stands."""
        await self.send("Page.navigate", url=url)
        await self.until("document.readyState === 'complete' && location.href !== 'about:blank'", f"{url} to load")

    async def value(self, expression: str) -> Any:
        """What JavaScript makes of `expression`; a promise is awaited."""
        told = await self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise AssertionError(f"{expression}: {told['exceptionDetails']}")
        return told["result"].get("value")

    async def until(self, expression: str, what: str) -> Any:
        """Wait until `expression` is true; its value."""
        deadline = time.monotonic() + SECONDS
        found: Any = None
        while time.monotonic() < deadline:
            with contextlib.suppress(AssertionError):  # the page may be another one this very moment
                found = await self.value(expression)
            if found:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"waited in vain for {what}: {found!r}")

    async def press(self, key: str) -> None:
        """A key that writes a letter."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": key} if kind == "keyDown" else {}
            await self.send("Input.dispatchKeyEvent", type=kind, key=key, **text)

    async def picture(self) -> bytes:
        """What a person sees, as PNG."""
        return base64.b64decode((await self.send("Page.captureScreenshot", format="png"))["data"])

    async def close(self) -> None:
        await self._browser.send("Target.closeTarget", targetId=self.target)


class Chromium:
    """A running browser with a profile of its own. `events` are those that came, the newest last."""

    def __init__(self, process: asyncio.subprocess.Process, line: aiohttp.ClientWebSocketResponse):
        self.process = process
        self._line = line
        self._number = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.events: list[dict[str, Any]] = []
        self._listening = asyncio.create_task(self._listen())

    async def send(self, method: str, session: str = "", **params: Any) -> Any:
        """A command; its result."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": params}
        waiting = self._waiting[self._number] = asyncio.get_running_loop().create_future()
        await self._line.send_json(command | ({"sessionId": session} if session else {}))
        async with asyncio.timeout(SECONDS):
            return await waiting

    async def page(
        self, url: str = "about:blank", *, begin: str = "", width: int = 1100, height: int = 700
    ) -> Page:
        """A new tab, in a new browser profile; `begin` is JavaScript that runs before that of every page."""
        context = (await self.send("Target.createBrowserContext"))["browserContextId"]
        made = await self.send("Target.createTarget", url="about:blank", browserContextId=context)
        target = made["targetId"]
        session = (await self.send("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        page = Page(self, target, session)
        for domain in ("Page", "Runtime", "Network", "Log"):
            await page.send(f"{domain}.enable")
        await page.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        if begin:
            await page.send("Page.addScriptToEvaluateOnNewDocument", source=begin)
        return page

    def complaints(self) -> list[str]:
        """What pages logged as errors."""
        entries = [event["params"]["entry"] for event in self.events if event["method"] == "Log.entryAdded"]
        return [f"{one['text']} {one.get('url', '')}" for one in entries if one["level"] == "error"]

    async def _listen(self) -> None:
        async for told in self._line:
            message = json.loads(told.data)
            waiting = self._waiting.pop(message.get("id", 0), None)
            if waiting is None:
                self.events.append(message)
            elif waiting.done():
                continue  # whoever asked has been cancelled
            elif "error" in message:
                waiting.set_exception(AssertionError(str(message["error"])))
            else:
                waiting.set_result(message["result"])

    async def close(self) -> None:
        """End it, all of its processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
        await self._listening


@contextlib.asynccontextmanager
async def running_chromium() -> AsyncIterator[Chromium]:
    """A browser, gone at the end of the block."""
    found = program()
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        process = await _start(found, folder)
        try:
            address = await _address(process, folder / "DevToolsActivePort")
            async with aiohttp.ClientSession() as session, session.ws_connect(address, max_msg_size=0) as line:
                browser = Chromium(process, line)
                try:
                    yield browser
                finally:
                    await browser.close()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


async def _start(found: str, folder: Path) -> asyncio.subprocess.Process:
    sandbox = () if os.geteuid() else ("--no-sandbox",)
    return await asyncio.create_subprocess_exec(
        *(found, *_FLAGS, *sandbox, f"--user-data-dir={folder}"),
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )


async def _address(process: asyncio.subprocess.Process, told: Path) -> str:
    """Where it listens, once it says so."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.returncode is None:
        lines = told.read_text().split() if told.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        await asyncio.sleep(0.05)
    raise AssertionError(f"Chromium does not start (exit {process.returncode})")
