"""Fact files: numbers with unit, source and status, read from TOML and checked as a whole."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from her2sim.errors import DataError, Faults, UnitError, plain_message, reason
from her2sim.units import convert, parse_unit

Status = Literal["published", "label-derived surrogate", "calibrated", "assumed"]


@cache
def _plain_kinds(model: type[BaseModel]) -> dict[str, tuple[tuple[type, ...], str]]:
    """Fields that are a number, or yes or no, and nothing else: what they may be, in words."""
    found: dict[str, tuple[tuple[type, ...], str]] = {}
    for name, field in model.model_fields.items():
        kinds = {kind for kind in (*get_args(field.annotation), field.annotation) if kind}
        plain = kinds & {int, float, bool}
        if str in kinds or not plain or any(get_origin(kind) is Literal for kind in kinds):
            continue
        what = "true or false" if plain == {bool} else "a number"
        found[field.alias or name] = (tuple(plain), what)
    return found


class FactModel(BaseModel):
    """Base of all records in fact files: unknown keys are faults, records do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _says_what_it_means(cls, told: Any) -> Any:
        """Numbers are no words and no yes or no, and yes or no is no word."""
        if isinstance(told, dict):
            faults = [
                f"{name}: write {what}, not {told[name]!r}"
                for name, (kinds, what) in _plain_kinds(cls).items()
                if isinstance(told.get(name), bool | str) and type(told[name]) not in kinds
            ]
            if faults:
                raise ValueError("; ".join(faults))
        return told


class Source(FactModel):
    """Where a number was published. ``read_via`` says what was read (docs/labels.md prints it)."""

    citation: str = Field(title="citation")
    doi: str | None = None
    url: str | None = Field(default=None, title="address")
    locator: str | None = Field(
        default=None, title="where in it", description="page, table or section"
    )
    read_via: str | None = Field(
        default=None, title="read by", description="what was read, where it was not the text itself"
    )
    dated: bool = False

    def text(self, locator: str = "") -> str:
        """Citation, place and DOI or address on one line."""
        place = locator or self.locator or ""
        address = f"doi {self.doi}" if self.doi else (self.url or "")
        dated = "dated text" if self.dated else ""
        return "; ".join(part for part in (self.citation, place, address, dated) if part)


class Claim(FactModel):
    """What every number carries: its status, and its source or the reason it was assumed."""

    status: Status = Field(default="published", title="status of the number")
    source: str | None = Field(default=None, title="key of its source")
    reason: str | None = Field(default=None, title="reason, if assumed")
    note: str | None = Field(default=None, title="note")

    @model_validator(mode="after")
    def _is_supported(self) -> Claim:
        if self.status == "assumed":
            if not self.reason:
                raise ValueError("an assumed number needs a reason")
        elif not self.source:
            raise ValueError("needs a source (or status = 'assumed' with a reason)")
        return self


class Quantity(Claim):
    """A number with its unit."""

    value: float = Field(title="value")
    unit: str = Field(title="unit")

    @model_validator(mode="after")
    def _has_unit(self) -> Quantity:
        try:
            parse_unit(self.unit)
        except UnitError as error:
            raise ValueError(str(error)) from None
        return self

    def to(self, unit: str) -> float:
        """The value in another unit."""
        return convert(self.value, self.unit, unit)


class UncertainQuantity(Quantity):
    """A number that is not known well, or that differs between patients.

    ``low`` to ``high`` is what it may be; a member of an ensemble takes a value from there, evenly
    on the scale ``drawn_on``. ``spread`` is the SD between patients, on the logarithm (on the logit
    if that is the scale). ``members`` are the values that a calibration gave to the members, in
    their order; ``value`` is then what fits best, ``low`` and ``high`` are their 5th and 95th
    percentile, moved to hold it.
    ``spread_members`` are the same of the spread.
    """

    meaning: str
    low: float | None = None
    high: float | None = None
    spread: float | None = Field(default=None, gt=0)
    drawn_on: Literal["log", "logit", "linear"] = "log"
    members: tuple[float, ...] = ()
    spread_members: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _is_a_range(self) -> UncertainQuantity:
        if (self.low is None) != (self.high is None):
            raise ValueError("give low and high, or neither")
        edges = [v for v in (self.low, self.value, self.high) if v is not None]
        if edges != sorted(edges):
            raise ValueError(f"{self.value:g} is not within {self.low:g} to {self.high:g}")
        needs_scale = self.low is not None or self.spread is not None
        if needs_scale and self.drawn_on != "linear" and min(edges) <= 0:
            raise ValueError("has to be above zero")
        if needs_scale and self.drawn_on == "logit" and max(edges) >= 1:
            raise ValueError("has to be below one on the logit scale")
        if self.spread is not None and self.drawn_on == "linear":
            raise ValueError("a spread needs the scale log or logit")
        return self


class FactFile(FactModel):
    """A file of facts with its sources."""

    sources: dict[str, Source] = Field(
        default_factory=dict, title="sources", description="what was published where, each by a key"
    )

    @model_validator(mode="after")
    def _sources_exist(self) -> FactFile:
        faults = [
            f"{place}: source {key!r} is not in [sources]"
            for place, key in _source_keys(self, "")
            if key.split(":")[0] not in self.sources
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def source_text(self, key: str) -> str:
        """Citation of ``KEY`` or ``KEY:PLACE``."""
        name, _, place = key.partition(":")
        return self.sources[name].text(place)


class NumberFile(FactFile):
    """A file of numbers, by name."""

    parameter: dict[str, UncertainQuantity]


def _source_keys(record: object, place: str) -> Iterable[tuple[str, str]]:
    """All source keys below a record, with their places."""
    if isinstance(record, Claim) and record.source:
        yield place, record.source
    if isinstance(record, BaseModel):
        fields: Iterable[tuple[Any, Any]] = (
            (n, getattr(record, n)) for n in type(record).model_fields
        )
    elif isinstance(record, dict):
        fields = record.items()
    elif isinstance(record, (list, tuple)):
        fields = enumerate(record)
    else:
        return
    for name, value in fields:
        yield from _source_keys(value, f"{place}.{name}".strip("."))


LONGEST_SHOWN = 80
F = TypeVar("F", bound=FactFile)
M = TypeVar("M", bound=BaseModel)


def read_fact_file(path: Path | Traversable, kind: type[F]) -> F:
    """Read and check a TOML file of facts.

    Raises
    ------
    DataError
        With all faults of the file, each with its place.
    """
    name = str(getattr(path, "name", path))
    try:
        if isinstance(path, Path) and path.exists() and not (path.is_file() or path.is_dir()):
            raise DataError(f"{path}: is a pipe or a device; save it as a file")
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({reason(error)})") from None
    except RecursionError:
        raise DataError(f"{path}: has lists or tables inside each other too deep to read") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{path}: {_no_toml(name, error)}") from None
    return checked_facts(content, kind, name)


def _no_toml(name: str, error: UnicodeDecodeError | tomllib.TOMLDecodeError) -> str:
    """Why a file is no TOML, and what to do."""
    if name.lower().endswith((".csv", ".tsv", ".xlsx", ".json", ".parquet")):
        return "is no TOML file by its name; give a file that ends in .toml"
    if isinstance(error, UnicodeDecodeError):
        return f"has a letter that is not UTF-8 (byte {error.start + 1}); save it as UTF-8"
    place = re.search(r"\(at (.*)\)", str(error))
    where = "its end" if place is None or place[1] == "end of document" else place[1]
    return f"is not TOML at {where}; a line is KEY = VALUE, with text in quotes, or [TABLE]"


def checked_facts(content: dict[str, Any], kind: type[M], name: str) -> M:
    """Facts that were read or told, checked.

    Parameters
    ----------
    content : what is told, by key
    kind : what it has to be
    name : what it is called in a message

    Raises
    ------
    DataError
        With all faults, each with its place.
    """
    faults = Faults(name)
    while True:
        try:
            found = kind.model_validate(content)
        except ValidationError as error:
            note_faults(faults, error)
            if not _drop_unknown_keys(content, error):
                break
        else:
            faults.raise_if_any()
            return found
    raise DataError(faults.message())


def _drop_unknown_keys(content: Any, error: ValidationError) -> bool:
    """Take unknown keys out, so that the checks behind them can run too."""
    unknown = [f["loc"] for f in error.errors() if f["type"] == "extra_forbidden"]
    for *parents, key in unknown:
        place = content
        for parent in parents:
            if not (
                isinstance(place, dict) and isinstance(parent, int)
            ):  # told as the one of a list
                place = place[parent]
        place.pop(key, None)
    return bool(unknown)


def _cut(text: str) -> str:
    """A value in a line, however long it is."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def note_faults(faults: Faults, error: ValidationError) -> None:
    """Add what pydantic refused, each with its place and what was found there."""
    for fault in error.errors():
        place = ".".join(str(part) for part in fault["loc"]) or "file"
        message = plain_message(fault)
        if fault["type"] == "extra_forbidden":
            message = "this key is not known here; check its spelling"
        elif fault["type"] not in ("value_error", "missing"):
            message += f", found {_cut(repr(fault['input']))}"
        text = f"{place}: {message}"
        if text not in faults.shown:
            faults.add(text)
