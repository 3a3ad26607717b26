"""Many users at once on the page: how long a slider takes, what memory grows to, what is lost.

    python tools/web_load.py --users 100 --seconds 120

It starts a server of its own, opens the view of one patient for each user, and moves a slider of
each every few seconds, as a class does. Each user also asks for a job. It ends with 1 if a request
failed, a slider took longer than a second for more than one in twenty, or a job was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

PORT = 8137
BASE = f"http://localhost:{PORT}"
BETWEEN_SECONDS = (3.0, 7.0)
LONGEST_SECONDS = 1.0
LARGEST_MB = 2000.0
BROWSER_WAITS_SECONDS = 20.0
"""As long as the client in a browser waits for a connection."""


class User:
    """A browser without a screen: a page, its socket, and a slider that is moved."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.took: list[float] = []
        self.failed: list[str] = []
        self.answered = asyncio.Event()
        self.strip = ""

    async def live(self, until: float) -> None:
        """Open the page and move the slider until the end; then ask for a job."""
        import aiohttp

        async with aiohttp.ClientSession() as session:
            path = f"/patient?seed={1 + self.number % 60}"
            async with self._opened(session, path) as (socket, client_id, text):
                slider, listener, self.strip = slider_of(text)
                await asyncio.sleep(random.uniform(0, BETWEEN_SECONDS[1]))
                kg = 68
                while time.monotonic() < until:
                    kg = random.choice([w for w in range(40, 141) if w != kg])
                    told = {"id": slider, "client_id": client_id, "listener_id": listener,
                            "args": [json.dumps(str(kg))]}  # fmt: skip
                    await self._move(socket, told)
                    await asyncio.sleep(random.uniform(*BETWEEN_SECONDS))
            async with self._opened(session, f"/drug?patients=100&seed={1 + self.number % 5}"):
                await asyncio.sleep(3)

    async def _move(self, socket: Any, told: dict[str, Any]) -> None:
        """Move the slider, and wait until the patient is drawn."""
        self.answered.clear()
        started = time.monotonic()
        await socket.emit("event", told)
        try:
            await asyncio.wait_for(self.answered.wait(), 20)
            self.took.append(time.monotonic() - started)
        except TimeoutError:
            self.failed.append("no answer within 20 s")

    @asynccontextmanager
    async def _opened(self, session: Any, path: str) -> AsyncIterator[tuple[Any, str, str]]:
        """A view with its socket, as a browser opens it: the socket, the client, and the page."""
        import socketio
        import yarl

        async with session.get(f"{BASE}{path}") as answer:
            text = await answer.text()
            if answer.status != 200:
                self.failed.append(f"{path}: {answer.status}")
        found = re.search(r"client_id['\"]?: ?['\"]([^'\"]+)", text)
        assert found is not None
        cookies = session.cookie_jar.filter_cookies(yarl.URL(BASE))
        cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
        socket = socketio.AsyncClient(reconnection=False)
        socket.on("update", self._updated)
        await socket.connect(
            BASE, headers={"Cookie": cookie}, socketio_path="/_nicegui_ws/socket.io",
            transports=["websocket"], wait_timeout=BROWSER_WAITS_SECONDS,
        )  # fmt: skip
        hello = {"client_id": found[1], "tab_id": f"tab{self.number}", "old_tab_id": None,
                 "document_id": f"doc{self.number}", "next_message_id": 0}  # fmt: skip
        if not await socket.call("handshake", hello):
            self.failed.append("no handshake")
        try:
            yield socket, found[1], text
        finally:
            await socket.disconnect()

    def _updated(self, message: Any) -> None:
        if self.strip in message:
            self.answered.set()


def slider_of(text: str) -> tuple[int, str, str]:
    """Slider, its listener, and the strip of stages, from the page as it was sent."""
    raw = re.search(r"parseElements\(String\.raw`(.*?)`\)", text, re.DOTALL)
    assert raw is not None
    raw_text = raw[1]
    for code, sign in (
        ("&#36;", "$"),
        ("&#96;", "`"),
        ("&gt;", ">"),
        ("&lt;", "<"),
        ("&amp;", "&"),
    ):
        raw_text = raw_text.replace(code, sign)
    elements = json.loads(raw_text)
    for name, element in elements.items():
        if element.get("props", {}).get("id") == "field-weight_kg":
            listener = next(e for e in element["events"] if e["type"] == "input")
            strip = next(
                key for key, one in elements.items()
                if any("data-stage" in str(e) for e in one.get("events", ()))
            )  # fmt: skip
            return int(name), listener["listener_id"], strip
    raise AssertionError("no slider on the page")


def memory_mb(pid: int) -> float:
    """Resident memory of a process and of those it started; none of one that has just ended."""
    try:
        told = Path(f"/proc/{pid}/status").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return 0.0
    resident = re.search(r"VmRSS:\s+(\d+)", told)
    own = int(resident[1]) / 1000 if resident is not None else 0.0
    return own + sum(memory_mb(int(child)) for child in children)


async def run(users: int, seconds: float) -> list[User]:
    """All users at once."""
    until = time.monotonic() + seconds
    everybody = [User(number) for number in range(users)]
    found = await asyncio.gather(*(one.live(until) for one in everybody), return_exceptions=True)
    for one, error in zip(everybody, found, strict=True):
        if isinstance(error, BaseException):
            one.failed.append(f"{type(error).__name__}: {error}")
    return everybody


def main() -> int:
    """Serve, load, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=120)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [sys.executable, "-m", "her2sim", "web", "--no-open", "--port", str(PORT), "--folder",
             folder], stdout=subprocess.DEVNULL, env=dict(os.environ),
        )  # fmt: skip
        try:
            time.sleep(15)
            everybody = asyncio.run(run(asked.users, asked.seconds))
            memory = memory_mb(server.pid)
            time.sleep(20)
            jobs = [json.loads(p.read_text()) for p in Path(folder).glob("jobs/*/state.json")]
        finally:
            server.terminate()
            server.wait()
    took = sorted(t for one in everybody for t in one.took)
    failed = [why for one in everybody for why in one.failed]
    p50, p95 = (took[int(q * (len(took) - 1))] for q in (0.5, 0.95))
    lost = sum(job["state"] not in ("waiting", "running", "done") for job in jobs)
    print(
        f"{asked.users} users, {len(took)} moves: median {p50:.2f} s, 95 % within {p95:.2f} s; "
        f"{memory:.0f} MB; {len(jobs)} jobs, {lost} lost; {len(failed)} failed"
    )
    for why in sorted(set(failed))[:5]:
        print(" ", why)
    return int(bool(failed) or p95 > LONGEST_SECONDS or memory > LARGEST_MB or lost > 0)


if __name__ == "__main__":
    sys.exit(main())
