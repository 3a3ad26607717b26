"""What a view asks: fields that a link can hold, and how the same is asked elsewhere."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from her2sim.arrays import Progress, no_progress
from her2sim.errors import Her2SimError, plain_message

if TYPE_CHECKING:
    from her2sim.api.result import Answer

LARGEST_SEED = 2**31 - 1
LONGEST_REGIMEN = 400
UPLOAD_PATTERN = r"^[a-f0-9]{32}$"
Seed = Field(default=1, ge=0, le=LARGEST_SEED, title="seed", description="decides every draw")


class Question(BaseModel):
    """A question with its fields; each kind has a path and says how it is asked elsewhere."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    kind: ClassVar[str]
    title: ClassVar[str]
    is_long: ClassVar[bool] = False
    """Whether it is work of minutes."""

    @abstractmethod
    def answer(self, folder: Path, progress: Progress = no_progress) -> Answer:
        """Work it out; files that it needs lie in a folder."""

    @abstractmethod
    def command(self) -> str:
        """The line of a shell that asks the same."""

    @abstractmethod
    def python(self) -> str:
        """Lines of Python that ask the same."""

    def files(self) -> Mapping[str, str]:
        """Text files that command and Python lines need, by name."""
        return {}

    def attached(self, folder: Path) -> Mapping[str, Path]:
        """Files of the user that command and Python lines need, by name, in a folder."""
        return {}

    def in_words(self) -> str:
        """All fields with their values, in a sentence."""
        told = self.model_dump(mode="json", exclude={"upload"})
        titles = {name: field.title or name for name, field in type(self).model_fields.items()}

        def shown(value: object) -> object:
            if isinstance(value, bool):
                return "on" if value else "off"
            return "usual" if value == "" else value

        return "; ".join(f"{titles[name]}: {shown(value)}" for name, value in told.items())

    def query(self) -> str:
        """The fields that differ from the usual ones, as part of a link."""
        return urlencode(self.model_dump(mode="json", exclude_defaults=True))

    def link(self) -> str:
        """The address that opens this view again, from the root of the page."""
        query = self.query()
        return f"/{self.kind}{'?' if query else ''}{query}"


def faults_by_field(error: ValidationError, kind: type[Question]) -> dict[str, str]:
    """What is wrong with each field, by its name, in the words of the page."""
    found: dict[str, list[str]] = {}
    for row in error.errors():
        place = str(row["loc"][0]) if row["loc"] else ""
        field = kind.model_fields.get(place)
        title = place if field is None else field.title or place
        text = plain_message(row)
        found.setdefault(place, []).append(f"{title}: {text}" if title else text)
    return {place: "; ".join(texts) for place, texts in found.items()}


def dropped_file(name: str) -> str:
    """The name under which a file that was dropped is kept.

    Raises
    ------
    ValueError
        If it is none.
    """
    if re.fullmatch(UPLOAD_PATTERN, name) is None:
        raise ValueError("no name of a file that was dropped here; drop the file again")
    return name


def without_folder(text: str, folder: Path) -> str:
    """A message without the place where a file lies on this machine."""
    return text.replace(f"{folder}/", "")


def library_name(name: str) -> str:
    """A name of the library: an upload or a path is none."""
    if len(name) > 200 or any(mark in name for mark in ("/", "\\", "..", "\n", "\0")):
        raise ValueError(f"{name[:40]!r}: name one that comes with her2sim")
    return name


def known_drug(name: str) -> str:
    """A drug of the library by any of its names; a field with another has a fault."""
    from her2sim.drugs.drug import load_drug

    return known(lambda: load_drug(name).id)


def checked_regimen(text: str) -> str:
    """A regimen that can be read; it may be written out.

    Raises
    ------
    ValueError
        With what is wrong with it.
    """
    from her2sim.pk.combination import load_combination

    if len(text) > LONGEST_REGIMEN:
        raise ValueError(f"a regimen of more than {LONGEST_REGIMEN} characters")
    try:
        load_combination(text)
    except Her2SimError as error:
        raise ValueError(str(error)) from None
    return text


def known(find: Callable[[], str]) -> str:
    """What is found, or a fault of the field.

    Raises
    ------
    ValueError
        If it is not known.
    """
    try:
        return find()
    except Her2SimError as error:
        raise ValueError(str(error)) from None


def known_population(name: str) -> str:
    """The name of a population that comes with her2sim.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    from her2sim.errors import did_you_mean
    from her2sim.patients.population import population_names

    if name not in population_names():
        raise ValueError(
            f"unknown population {name[:40]!r}{did_you_mean(name, population_names())}"
        )
    return name
