"""Pages of the documentation site that follow from the program; `docs/conf.py` calls it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SITE = ROOT / "docs" / "site"


def pages() -> dict[str, str]:
    """Reference and gallery, by the names of their pages."""
    made = {"api": _api(), "schemas": _schemas(), "gallery": _gallery()}
    return {name: "\n".join(lines) + "\n" for name, lines in made.items()}


def write() -> None:
    """Write them beside the pages that are kept."""
    for name, text in pages().items():
        path = SITE / f"{name}.md"
        if not path.is_file() or path.read_text() != text:
            path.write_text(text)


def _api() -> Iterator[str]:
    import her2sim

    yield "# Python\n"
    yield "Names are loaded when they are first used: `import her2sim as h2` takes milliseconds.\n"
    functions = [name for name in her2sim.__all__ if name[0].islower()]
    classes = [name for name in her2sim.__all__ if name[0].isupper()]
    for heading, names, kind in (
        ("Functions", functions, "autofunction"),
        ("What they return", classes, "autoclass"),
    ):
        yield f"## {heading}\n"
        for name in names:
            module = getattr(her2sim, name).__module__
            yield f"```{{eval-rst}}\n.. {kind}:: {module}.{name}\n```\n"


def _schemas() -> Iterator[str]:
    from her2sim.drugs.drug import Drug
    from her2sim.drugs.mechanism import Mechanism
    from her2sim.drugs.pk import PkModel
    from her2sim.drugs.toxicity import Toxicity
    from her2sim.patients.patient import Patient
    from her2sim.patients.population import Population
    from her2sim.protocol.label import Label
    from her2sim.regimens.library import NamedRegimen
    from her2sim.trials.trial import Trial

    yield "# Files\n"
    yield (
        "All of them are TOML. Unknown keys are refused, and all faults are told at once. Each "
        "number has a `unit`, a `status` (published, label-derived surrogate, calibrated, assumed) "
        "and a `source` of `[sources]`, or a `reason` if it is assumed.\n"
    )
    kinds = (Patient, Trial, Drug, PkModel, Mechanism, Toxicity, Label, NamedRegimen, Population)
    for kind in kinds:
        yield f"## {kind.__name__}\n"
        yield f"{_first_line(kind)}\n"
        schema = kind.model_json_schema()
        yield from _table(schema)
        for name, part in schema.get("$defs", {}).items():
            if "properties" in part:
                yield f"### {kind.__name__}: {name}\n"
                yield from _table(part)


def _first_line(kind: type[Any]) -> str:
    return (kind.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")


def _table(schema: dict[str, Any]) -> Iterator[str]:
    needed = schema.get("required", ())
    yield "| key | what it is | usual |\n|---|---|---|"
    for name, told in schema.get("properties", {}).items():
        star = " (needed)" if name in needed else ""
        default = "" if "default" not in told else f"`{told['default']!r}`".replace("|", "\\|")
        text = f"; {told['description']}" if told.get("description") else ""
        kind = f"{_kind(told)}{text}".replace("|", "\\|")
        yield f"| `{name}`{star} | {kind} | {default if len(default) < 60 else ''} |"
    yield ""


def _kind(told: dict[str, Any]) -> str:
    """The type of a key in words."""
    if "$ref" in told:
        return told["$ref"].rsplit("/", 1)[1]
    if "anyOf" in told:
        parts = [_kind(part) for part in told["anyOf"] if part.get("type") != "null"]
        return " or ".join(parts)
    if "enum" in told:
        return ", ".join(f"`{one}`" for one in told["enum"])
    if "const" in told:
        return f"`{told['const']}`"
    if told.get("type") == "array":
        inner = _kind(told["items"]) if isinstance(told.get("items"), dict) else "values"
        return f"list of {inner}"
    return str(told.get("type", "table"))


def _gallery() -> Iterator[str]:
    figures = _module("figures")
    yield "# Gallery\n"
    yield "Each figure with the line that makes it; all of them: `make figures`.\n"
    for name, command in {**figures.COMMANDS, **figures.OTHERS}.items():
        option = "" if name in figures.OTHERS else " --figure {path}"
        line = f"her2sim {command}{option}".format(path=f"{name}.png")
        yield f"## {name}\n\n![{name}](../{name}.png)\n\n```text\n{line}\n```\n"


def _module(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


if __name__ == "__main__":
    write()
