"""The documents: links and anchors, plain words, commands as a shell reads them, the citation."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from her2sim import __version__
from her2sim.cli import main
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


SMALL = {"--per-arm": "20", "--patients": "50", "--pool": "50", "--trials": "100",
         "--members": "1", "--replicates": "20"}  # fmt: skip
"""Sizes with which commands of the documents run here, where they take them."""
NAMED = {"trial score": ["emilia"]}
"""What a command is run on here that takes everything without a name."""
WITH_COMMANDS = [page for page in USER_PAGES if shell_commands(page)]


def small_call(line: str) -> list[str]:
    """The words of a command, with small sizes."""
    words = shlex.split(line)[1:]
    group, taken = main, []
    for word in words:
        found = group.commands.get(word) if isinstance(group, click.Group) else None
        if found is None:
            break
        group = found
        taken.append(word)
    options = {name for parameter in group.params for name in parameter.opts}
    given = [name for name in SMALL if name in words]
    for name in given:
        words[words.index(name) + 1] = SMALL[name]
    words += NAMED.get(" ".join(taken), [])
    asked = {"--pool", "--trials", "--members"}
    if ".csv" not in line:  # patients of a file are as many as they are
        asked.add("--per-arm" if "--per-arm" in options else "--patients")
    for name in sorted((asked & options) - set(given)):
        words += [name, SMALL[name]]
    return words


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=named)
def test_commands_of_the_documents_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they are printed, but for the sizes; `check` ends with 1 where a record departs."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for own, example in (("my_patient", "patient_mbc"), ("patient", "patient_ebc")):
        shutil.copy(ROOT / "examples" / f"{example}.toml", tmp_path / f"{own}.toml")
    monkeypatch.chdir(tmp_path)
    for line in shell_commands(page):
        if line.split()[1] == "web":  # tests/interfaces/test_web.py
            continue
        done = CliRunner().invoke(main, small_call(line))
        wanted = (0, 1) if "check " in line else (0,)
        assert done.exit_code in wanted, f"{line}: {done.output[-2000:]}"


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
