"""One patient from measured levels, in fields: drug, levels, body and target."""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, field_validator, model_validator

from her2sim.arrays import Progress, no_progress
from her2sim.errors import DataError, Her2SimError
from her2sim.formats.levels_csv import read_doses, read_levels
from her2sim.patients.patient import Patient
from her2sim.web.patient_question import patient_toml, usual_patient
from her2sim.web.question import Question, Seed, known, known_drug, library_name, without_folder

if TYPE_CHECKING:
    from her2sim.api.result import Answer

_LEVEL = re.compile(r"(?P<day>\d+(\.\d+)?)\s*:\s*(?P<value><?\s*\d+(\.\d+)?)")
_DOSE = re.compile(r"(?P<day>\d+(\.\d+)?)\s*:\s*(?P<value>\d+(\.\d+)?)")
MOST_LEVELS = 40


def _pairs(text: str, one: re.Pattern[str], example: str, least: int) -> str:
    """Pairs of a day and a number, as they are kept.

    Raises
    ------
    ValueError
        If one is none, or there are too few or too many.
    """
    parts = [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]
    for part in parts:
        if not one.fullmatch(part):
            raise ValueError(f"{part[:40]!r}: write {example}")
    if not least <= len(parts) <= MOST_LEVELS:
        raise ValueError(f"give {least} to {MOST_LEVELS} of them")
    return ", ".join(parts)


class LevelsQuestion(Question):
    """Numbers of one patient from measured levels, and levels to come."""

    kind = "levels"
    title = "Measured levels"

    drug: str = Field(default="trastuzumab", title="drug")
    regimen: str = Field(
        default="",
        title="regimen at hand",
        description="q3w, qw ...; empty: first of the label",
    )
    levels: str = Field(
        default="21: 14.1, 42: 20.3",
        max_length=1000,
        title="levels",
        description="day: level, in the unit of the drug",
    )
    doses: str = Field(
        default="",
        max_length=1000,
        title="doses",
        description="day: mg, with commas; empty: as on the label from day 0",
    )
    weight_kg: float = Field(default=68.0, ge=35, le=160, title="weight, kg")
    target: str = Field(
        default="", max_length=60, title="target", description="cmin>=20; may be empty"
    )
    residual_percent: float = Field(
        default=0, ge=0, le=100, title="error of a level, %",
        description="0: as published; where none was, try 20",
    )  # fmt: skip
    seed: int = Seed

    _is_of_library = field_validator("drug", "regimen")(library_name)

    @field_validator("drug")
    @classmethod
    def _is_known(cls, name: str) -> str:
        return known_drug(name)

    @field_validator("target")
    @classmethod
    def _is_a_target(cls, text: str) -> str:
        from her2sim.individuals.candidates import parse_target

        return known(lambda: parse_target(text).text()) if text.strip() else ""

    @field_validator("levels")
    @classmethod
    def _are_levels(cls, text: str) -> str:
        return _pairs(text, _LEVEL, "day: level, as in 21: 14.1, 42: <5", 1)

    @field_validator("residual_percent")
    @classmethod
    def _is_an_error(cls, percent: float) -> float:
        if 0 < percent < 1:
            raise ValueError("use 0, or 1 to 100")
        return percent

    @field_validator("doses")
    @classmethod
    def _are_doses(cls, text: str) -> str:
        return _pairs(text, _DOSE, "day: mg, as in 0: 560, 21: 420", 0)

    @model_validator(mode="after")
    def _fits_together(self) -> LevelsQuestion:
        from her2sim.api.drugs import treatment_of

        known(lambda: treatment_of(self.drug, self.regimen or None).regimen.name)
        known(self._read)
        return self

    def _read(self) -> str:
        """Read levels and doses as the command does."""
        with self._files() as (levels, doses):
            read_levels(levels, self.drug)
            if doses is not None:
                read_doses(doses, self.drug)
        return ""

    @contextmanager
    def _files(self) -> Iterator[tuple[Path, Path | None]]:
        """Files of levels and doses, as the command reads them; faults do not say where they lie.

        Raises
        ------
        DataError
            With what is wrong in them.
        """
        with tempfile.TemporaryDirectory() as place:
            for name, text in self.files().items():
                (Path(place) / name).write_text(text, encoding="utf-8")
            try:
                doses = Path(place) / "doses.csv"
                yield Path(place) / "levels.csv", doses if self.doses else None
            except Her2SimError as error:
                raise DataError(without_folder(str(error), Path(place))) from None

    def patient(self) -> Patient:
        """The usual patient with the weight that is told here."""
        usual = usual_patient().model_dump(exclude_defaults=True)
        return Patient.model_validate(
            usual | {"body": usual["body"] | {"weight_kg": self.weight_kg}}
        )

    def files(self) -> Mapping[str, str]:
        """Levels and patient."""
        from her2sim.drugs.drug import load_pk

        unit = load_pk(self.drug).concentration_unit
        rows = [
            f"{found['day']},{found['value'].replace(' ', '')},{unit}\n"
            for found in _LEVEL.finditer(self.levels)
        ]
        levels = "day,value,unit\n" + "".join(rows)
        found = {"levels.csv": levels, "patient.toml": patient_toml(self.patient())}
        if self.doses:
            rows = [f"{one['day']},{one['value']}\n" for one in _DOSE.finditer(self.doses)]
            found["doses.csv"] = "day,dose_mg\n" + "".join(rows)
        return found

    def answer(self, folder: Path, progress: Progress = no_progress) -> Answer:
        """Fit them."""
        from her2sim.api.individual import individual

        with self._files() as (levels, doses):
            return individual(
                levels, self.drug, self.patient(), doses=doses, regimen=self.regimen or None,
                target=self.target or None, typical=True, seed=self.seed,
                residual_cv=self.residual_percent or None,
            )  # fmt: skip

    def command(self) -> str:
        """As on the command line."""
        regimen = f" --regimen {shlex.quote(self.regimen)}" if self.regimen else ""
        target = f" --target {shlex.quote(self.target)}" if self.target else ""
        doses = " --doses doses.csv" if self.doses else ""
        error = f" --residual-cv {self.residual_percent:g}" if self.residual_percent else ""
        return (
            f"her2sim individual levels.csv --drug {shlex.quote(self.drug)}{regimen} --patient "
            f"patient.toml{doses} --typical{target}{error} --seed {self.seed}"
        )

    def python(self) -> str:
        """As in a notebook."""
        regimen = f', regimen="{self.regimen}"' if self.regimen else ""
        target = f', target="{self.target}"' if self.target else ""
        doses = ', doses="doses.csv"' if self.doses else ""
        error = f", residual_cv={self.residual_percent:g}" if self.residual_percent else ""
        return (
            "import her2sim as h2\n\n"
            f'found = h2.individual("levels.csv", "{self.drug}", "patient.toml"{doses}{regimen}'
            f"{target}{error}, "
            f"typical=True, seed={self.seed})\nfound.frame(); found.candidates(); found.plot()"
        )
