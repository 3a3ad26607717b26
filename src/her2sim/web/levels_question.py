"""One patient from measured levels, in fields: drug, levels, body and target."""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, field_validator, model_validator

from her2sim.arrays import Progress, no_progress
from her2sim.patients.patient import Patient
from her2sim.web.patient_question import patient_toml, usual_patient
from her2sim.web.question import Question, Seed, known, known_drug, library_name

if TYPE_CHECKING:
    from her2sim.api.result import Answer

_LEVEL = re.compile(r"(?P<day>\d+(\.\d+)?)\s*:\s*(?P<value><?\s*\d+(\.\d+)?)")
MOST_LEVELS = 40


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
    weight_kg: float = Field(default=68.0, ge=35, le=160, title="weight, kg")
    target: str = Field(
        default="", max_length=60, title="target", description="cmin>=20; may be empty"
    )
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
        parts = [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]
        for part in parts:
            if not _LEVEL.fullmatch(part):
                raise ValueError(f"{part[:40]!r}: write day: level, as in 21: 14.1, 42: <5")
        if not 1 <= len(parts) <= MOST_LEVELS:
            raise ValueError(f"give 1 to {MOST_LEVELS} levels")
        return ", ".join(parts)

    @model_validator(mode="after")
    def _fits_together(self) -> LevelsQuestion:
        from her2sim.api.drugs import treatment_of

        known(lambda: treatment_of(self.drug, self.regimen or None).regimen.name)
        return self

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
        return {"levels.csv": levels, "patient.toml": patient_toml(self.patient())}

    def answer(self, folder: Path, progress: Progress = no_progress) -> Answer:
        """Fit them."""
        from her2sim.api.individual import individual

        with tempfile.TemporaryDirectory() as place:
            levels = Path(place) / "levels.csv"
            levels.write_text(self.files()["levels.csv"], encoding="utf-8")
            return individual(
                levels, self.drug, self.patient(), regimen=self.regimen or None,
                target=self.target or None, typical=True, seed=self.seed,
            )  # fmt: skip

    def command(self) -> str:
        """As on the command line."""
        regimen = f" --regimen {shlex.quote(self.regimen)}" if self.regimen else ""
        target = f" --target {shlex.quote(self.target)}" if self.target else ""
        return (
            f"her2sim individual levels.csv --drug {shlex.quote(self.drug)}{regimen} --patient "
            f"patient.toml --typical{target} --seed {self.seed}"
        )

    def python(self) -> str:
        """As in a notebook."""
        regimen = f', regimen="{self.regimen}"' if self.regimen else ""
        target = f', target="{self.target}"' if self.target else ""
        return (
            "import her2sim as h2\n\n"
            f'found = h2.individual("levels.csv", "{self.drug}", "patient.toml"{regimen}{target}, '
            f"typical=True, seed={self.seed})\nfound.frame(); found.candidates(); found.plot()"
        )
