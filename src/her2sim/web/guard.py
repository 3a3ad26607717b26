"""What stands between a request and the page: whence it comes, its token, its size, its pace."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LARGEST_BODY = 3_000_000
MOST_MESSAGES, PER_SECONDS = 400, 2.0
"""Messages of one websocket in some seconds; a slider that is moved sends twenty a second."""
COOKIE = "her2sim_token"
LOG = logging.getLogger("her2sim.web")
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"content-security-policy": b"default-src 'self'; script-src 'self' 'unsafe-inline' "
    b"'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    b"font-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; base-uri 'self'; "
    b"form-action 'self'; frame-ancestors 'none'",
}
"""No request leaves for another machine: the browser refuses it too."""


class Guard:
    """ASGI middleware that refuses what does not belong here, and says so in the log.

    Parameters
    ----------
    app : what is guarded
    hosts : names by which the page may be called; any with None
    token : that a browser has to show once; none is asked for with None
    """

    def __init__(self, app: Any, hosts: frozenset[str] | None, token: str | None) -> None:
        self.app, self.hosts, self.token = app, hosts, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        status, why = self._fault(scope, headers)
        if status:
            LOG.warning("refused %s %r: %s", scope["type"], scope.get("path", "")[:100], why)
            await _refuse(scope, send, status, why)
            return
        if moved := self._moved(scope, headers):
            await _redirect(send, moved)
            return
        if scope["type"] == "websocket":
            await self.app(scope, _paced(receive, send), send)
            return
        shown = self._shown(scope) if self.token else None
        await self.app(scope, _bounded(receive, scope), _with_headers(send, shown))

    def _fault(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[int, str]:
        host = _host(headers.get(b"host", b"").decode("latin-1"))
        if self.hosts is not None and host not in self.hosts:
            return 400, "called by another name than localhost"
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and _host(urlsplit(origin).netloc) != host:
            return 403, "from another page"
        try:
            size = int(headers.get(b"content-length", b"0"))
        except ValueError:
            return 400, "a length that is no number"
        if not 0 <= size <= LARGEST_BODY:
            return 413, f"more than {LARGEST_BODY / 1e6:g} MB"
        if self.token is not None and not self._is_allowed(scope, headers):
            return 401, "no token, or a wrong one: open the address that her2sim web printed"
        return 0, ""

    def _moved(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        """Where a view of this machine is read: cookies, and jobs with them, are kept by name."""
        told = headers.get(b"host", b"").decode("latin-1")
        is_view = scope["type"] == "http" and scope.get("method") == "GET"
        is_view = is_view and b"text/html" in headers.get(b"accept", b"")
        if not is_view or self.hosts is None or _host(told) in ("localhost", ""):
            return ""
        try:
            port = urlsplit(f"//{told}").port
        except ValueError:
            return ""
        path = quote(scope.get("path", "/"), safe="/")
        query = scope.get("query_string", b"").decode("latin-1")
        where = f"localhost:{port}" if port else "localhost"
        return f"http://{where}{path}{'?' if query else ''}{query}"

    def _is_allowed(self, scope: Scope, headers: dict[bytes, bytes]) -> bool:
        assert self.token is not None
        try:
            cookies = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
        except CookieError:
            cookies = SimpleCookie()
        kept = cookies[COOKIE].value if COOKIE in cookies else ""
        shown = self._shown(scope) or ""
        return any(
            secrets.compare_digest(told.encode(), self.token.encode()) for told in (kept, shown)
        )

    def _shown(self, scope: Scope) -> str | None:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        return next(iter(query.get("token", ())), None)


def _host(text: str) -> str:
    """The name of a host without its port."""
    try:
        return urlsplit(f"//{text}").hostname or ""
    except ValueError:
        return ""


async def _refuse(scope: Scope, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why[:100]})
        return
    body = f"{why}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _redirect(send: Send, where: str) -> None:
    headers = [(b"location", where.encode("latin-1")), *HEADERS.items()]
    await send({"type": "http.response.start", "status": 307, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _with_headers(send: Send, token: str | None) -> Send:
    """Answers with headers that bind the browser; a token that was shown is kept as a cookie."""

    async def answer(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            known = {name.lower() for name, _ in message["headers"]}
            added = [(name, value) for name, value in HEADERS.items() if name not in known]
            if token is not None:
                cookie = f"{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"
                added.append((b"set-cookie", cookie.encode()))
            message["headers"] = [*message["headers"], *added]
        await send(message)

    return answer


def _bounded(receive: Receive, scope: Scope) -> Receive:
    """A body that ends where it grows larger than it may."""
    read = 0

    async def bounded() -> MutableMapping[str, Any]:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > LARGEST_BODY:
            LOG.warning("refused a body at %r: it has no end", scope.get("path", "")[:100])
            return {"type": "http.disconnect"}
        return message

    return bounded


def _paced(receive: Receive, send: Send) -> Receive:
    """A websocket that is closed where it floods."""
    times: list[float] = []

    async def paced() -> MutableMapping[str, Any]:
        message = await receive()
        now = time.monotonic()
        times.append(now)
        while times and times[0] < now - PER_SECONDS:
            times.pop(0)
        size = len(message.get("text") or message.get("bytes") or "")
        if len(times) > MOST_MESSAGES or size > LARGEST_BODY:
            LOG.warning("closed a websocket that floods: %d messages", len(times))
            await send({"type": "websocket.close", "code": 1008})
            return {"type": "websocket.disconnect", "code": 1008}
        return message

    return paced
