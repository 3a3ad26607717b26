"""The documents: links and anchors, plain words, commands as a shell reads them, the citation."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from her2sim import __version__
from tests.conftest import ROOT

SITE = ROOT / "docs" / "site"
USER_PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(SITE.glob("*.md"))]
PAGES = [*USER_PAGES, ROOT / "CONTRIBUTING.md"]
GENERATED = {
    "api.md", "schemas.md", "gallery.md", "trials.md", "validation.md", "calibration.md",
    "calibration-parts.md", "labels.md",
}  # fmt: skip
METAPHORS = re.compile(
    r"\b(houses?|rooms?|doors?|lives|ledgers?|harms?|steer(?:s|ed|ing)?|kept members)\b", re.I
)
MODULE = re.compile(r"\bher2sim(?:\.[a-z]\w*)+")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def without_code(text: str) -> str:
    """Prose alone: no code blocks, nothing in backticks, no addresses of links."""
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))
    return re.sub(r"\]\([^)]*\)", "]", prose)


def anchors(page: Path) -> set[str]:
    """Anchors of the headings of a page, made as GitHub makes them."""
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    found: set[str] = set()
    for heading in re.findall(r"^#+ +(.+?) *$", prose, re.M):
        kept = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        repeats = sum(1 for name in found if re.fullmatch(re.escape(kept) + r"(-\d+)?", name))
        found.add(f"{kept}-{repeats}" if repeats else kept)
    return found


def shell_commands(page: Path) -> list[str]:
    """Commands of her2sim in the shell blocks of a page, continued lines joined."""
    blocks = [code for kind, code in FENCE.findall(page.read_text(encoding="utf-8"))
              if kind in ("sh", "bash")]  # fmt: skip
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("her2sim")]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_to_a_file_and_a_heading(page: Path) -> None:
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = page.parent / name if name else page
        assert path.exists(), f"{target} does not exist"
        if anchor:
            assert anchor in anchors(path), f"{target}: no such heading"


@pytest.mark.parametrize("page", [p for p in PAGES if p.name not in GENERATED], ids=named)
def test_pages_use_the_words_of_the_field(page: Path) -> None:
    found = METAPHORS.findall(without_code(page.read_text(encoding="utf-8")))
    assert not found, "say it in the field's words"


@pytest.mark.parametrize("page", [p for p in PAGES if p.name not in GENERATED], ids=named)
def test_modules_that_are_named_exist(page: Path) -> None:
    """A dotted name is a package or module, or a name that its module defines."""
    for name in MODULE.findall(page.read_text(encoding="utf-8")):
        parts = name.split(".")
        whole, module = ROOT.joinpath("src", *parts), ROOT.joinpath("src", *parts[:-1])
        is_module = whole.is_dir() or whole.with_suffix(".py").is_file()
        if not is_module:
            source = module.with_suffix(".py").read_text(encoding="utf-8")
            assert re.search(rf"^(def|class) {parts[-1]}\b", source, re.M), name


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_shells_take_the_commands_as_they_are_printed(page: Path) -> None:
    """Outside quotes there is nothing that bash or zsh would expand or refuse."""
    for command in shell_commands(page):
        words = shlex.split(command, posix=False)  # quotes stay around what they quote
        bare = " ".join(re.sub(r"([\"']).*?\1", "", word) for word in words)
        assert not set("*()^[]?$&;|<>!~{}") & set(bare), command
        done = subprocess.run(["sh", "-n", "-c", command], capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stderr}"


def test_quoted_commands_of_the_readme_run(her2sim) -> None:
    quoted = [shlex.split(c) for c in shell_commands(ROOT / "README.md") if '"' in c]
    assert quoted
    for _, *words in quoted:
        call = [str(ROOT / w) if w.startswith("examples/") else w for w in words]
        if "--patients" in call:
            call[call.index("--patients") + 1] = "20"
        done = her2sim(*call)
        assert done.returncode == 0, f"{call}: {done.stderr}"


def test_the_glossary_is_in_order_of_the_alphabet() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = [w.lower() for w in re.findall(r"^\| ([^|]+?) \|", text, re.M)][1:]
    assert len(words) > 50
    assert words == sorted(set(words))


def test_the_citation_is_of_this_version_and_licence() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    said = dict(re.findall(r"^([a-z-]+): *(.+)$", text, re.M))
    assert said["cff-version"] == "1.2.0"
    assert (said["version"], said["license"]) == (__version__, "BSD-3-Clause")


def test_pages_of_the_site_are_those_of_the_program() -> None:
    """Reference and gallery follow from the program: `python tools/site_pages.py` writes them."""
    spec = importlib.util.spec_from_file_location("site_pages", ROOT / "tools" / "site_pages.py")
    assert spec is not None
    assert spec.loader is not None
    pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    for name, text in pages.pages().items():
        assert (SITE / f"{name}.md").read_text(encoding="utf-8") == text, name


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """Every page is reached and every link of it leads somewhere."""
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", str(ROOT / "docs"),
         str(tmp_path / "site")], capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "site" / "site" / "tutorial.html").is_file()
