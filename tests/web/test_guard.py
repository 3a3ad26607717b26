"""Requests that do not belong here are refused, and the server stays up."""

from __future__ import annotations

from contextlib import suppress

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocket, WebSocketDisconnect

from her2sim.web.guard import LARGEST_BODY, LOOPBACK, MOST_MESSAGES, Guard


async def echo(request: Request) -> PlainTextResponse:
    """What was sent, as long as it is."""
    return PlainTextResponse(f"{len(await request.body())}")


async def socket(websocket: WebSocket) -> None:
    """Answers each message."""
    await websocket.accept()
    with suppress(WebSocketDisconnect):
        while True:
            await websocket.send_text(await websocket.receive_text())


def client(token: str | None = None, base: str = "http://localhost") -> TestClient:
    """A browser before a guarded page."""
    app = Starlette(
        routes=[Route("/", echo, methods=["GET", "POST"]), WebSocketRoute("/ws", socket)]
    )
    app.add_middleware(Guard, hosts=LOOPBACK, token=token)
    return TestClient(app, base_url=base)


@pytest.mark.parametrize(
    ("base", "headers", "status"),
    [
        ("http://localhost:8090", {}, 200),
        ("http://127.0.0.1:8090", {}, 200),
        ("http://[::1]:8090", {}, 200),
        ("http://localhost", {"origin": "http://localhost"}, 200),
        ("http://evil.example", {}, 400),
        ("http://localhost.evil.example", {}, 400),
        ("http://localhost", {"origin": "http://evil.example"}, 403),
        ("http://localhost", {"origin": "null"}, 403),
        ("http://localhost", {"content-length": "-1"}, 413),
        ("http://localhost", {"content-length": "many"}, 400),
        ("http://localhost", {"content-length": str(LARGEST_BODY + 1)}, 413),
    ],
)
def test_whence_and_how_large(base: str, headers: dict[str, str], status: int) -> None:
    """By another name, from another page, or too large: refused."""
    assert client(base=base).get("/", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("base", "path", "where"),
    [
        ("http://127.0.0.1:8090", "/?seed=2", "http://localhost:8090/?seed=2"),
        ("http://[::1]:8090", "/", "http://localhost:8090/"),
        ("http://127.0.0.1", "/", "http://localhost/"),
        ("http://localhost:8090", "/?seed=2", ""),
    ],
)
def test_one_browser_is_one_user(base: str, path: str, where: str) -> None:
    """A view that is called by number is read by name, where its cookie and its jobs are."""
    html = {"accept": "text/html,*/*"}
    answer = client(base=base).get(path, headers=html, follow_redirects=False)
    assert answer.status_code == (307 if where else 200)
    assert answer.headers.get("location", "") == where
    plain = client(base=base).get(path, follow_redirects=False)
    assert plain.status_code == 200


def test_headers_bind_the_browser() -> None:
    """Nothing is loaded from elsewhere, nothing is put into a frame."""
    headers = client().get("/").headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"


def test_a_body_without_a_length_ends() -> None:
    """Chunks that go on beyond the limit are cut off."""

    def chunks() -> object:
        for _ in range(40):
            yield b"x" * 100_000

    with pytest.raises(Exception):  # noqa: B017, PT011 - the connection is dropped
        client().post("/", content=chunks()).raise_for_status()


def test_a_token_is_asked_for_and_kept() -> None:
    """Without it nothing; shown once, the cookie opens all; a wrong one opens nothing."""
    browser = client(token="right")
    assert browser.get("/").status_code == 401
    assert browser.get("/?token=wrong").status_code == 401
    shown = browser.get("/?token=right")
    assert shown.status_code == 200
    assert "httponly" in shown.headers["set-cookie"].lower()
    assert browser.get("/").status_code == 200
    assert (
        client(token="right").get("/", headers={"cookie": "her2sim_token=wrong"}).status_code == 401
    )


def test_a_wrong_token_opens_no_socket() -> None:
    """Sockets are guarded as pages are."""
    with (
        pytest.raises(WebSocketDisconnect),
        client(token="right").websocket_connect("ws://localhost/ws"),
    ):
        pass
    with (
        pytest.raises(WebSocketDisconnect),
        client().websocket_connect("ws://localhost/ws", headers={"origin": "http://evil.example"}),
    ):
        pass


def test_a_flood_closes_its_socket_only() -> None:
    """Hundreds of messages a second end the socket; the next one is served."""
    browser = client()

    def flood(one: WebSocketTestSession) -> None:
        for number in range(MOST_MESSAGES + 50):
            one.send_text(str(number))
            one.receive_text()

    with browser.websocket_connect("ws://localhost/ws") as one, pytest.raises(WebSocketDisconnect):
        flood(one)
    with browser.websocket_connect("ws://localhost/ws") as other:
        other.send_text("still here")
        assert other.receive_text() == "still here"
