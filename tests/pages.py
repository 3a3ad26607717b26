"""Reading a page in HTML as a browser would, and what every page must have."""

from __future__ import annotations

from html.parser import HTMLParser

HOSTILE = "<script>alert('1 & 2')</script><img src=x onerror=\"x\">"
EMPTY = ("meta", "img", "use")


class Page(HTMLParser):
    """Tags with their attributes, in order, and the words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """All words, lines put together."""
        return " ".join("".join(self.words).split())

    def require_sound(self) -> None:
        """Every tag is closed; nothing runs or is loaded; it can be read aloud."""
        names = [tag for tag, _ in self.tags]
        assert not self.open
        assert "script" not in names
        assert not any(key.startswith("on") for _, given in self.tags for key in given)
        assert [given for tag, given in self.tags if tag == "html"] == [{"lang": "en"}]
        assert names.count("h1") == names.count("main") == names.count("footer") == 1
        assert names.count("caption") == names.count("table")
        assert all(given.get("scope") for tag, given in self.tags if tag == "th")
        for tag, given in self.tags:
            if tag == "img":
                assert given["alt"]
                assert (given["src"] or "").startswith("data:")
            if given.get("role") in ("img", "region"):
                assert given["aria-label"]


def read_page(text: str) -> Page:
    """A page that was read."""
    page = Page()
    page.feed(text)
    page.close()
    return page
