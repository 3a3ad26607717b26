"""The questions of the page: a patient, a trial, a drug, levels, a record, a population."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError, field_validator

from her2sim.arrays import Progress, no_progress
from her2sim.errors import DataError
from her2sim.web.levels_question import LevelsQuestion
from her2sim.web.patient_question import PatientQuestion
from her2sim.web.question import (
    Question,
    Seed,
    checked_regimen,
    dropped_file,
    faults_by_field,
    known_drug,
    known_population,
    library_name,
)
from her2sim.web.trial_questions import GridQuestion, OwnTrialQuestion, TrialQuestion

if TYPE_CHECKING:
    from her2sim.api.result import Answer


class DrugQuestion(Question):
    """Levels of a drug in a population, beside what its label says."""

    kind = "drug"
    title = "A drug"

    drug: str = Field(default="trastuzumab", title="drug")
    regimen: str = Field(
        default="", title="regimen", description="q3w, qw ...; empty: the first of the label"
    )
    population: str = Field(default="mbc", title="population")
    patients: int = Field(default=2000, ge=50, le=100_000, title="patients")
    seed: int = Seed

    _is_of_library = field_validator("drug", "regimen")(library_name)

    @field_validator("drug")
    @classmethod
    def _is_known(cls, name: str) -> str:
        return known_drug(name)

    @field_validator("population")
    @classmethod
    def _is_a_population(cls, name: str) -> str:
        return known_population(name)

    def answer(self, folder: Path, progress: Progress = no_progress) -> Answer:
        """Simulate it."""
        from her2sim.api.exposure import exposure

        return exposure(
            self.drug, self.population, self.patients, self.seed,
            regimen=self.regimen or None, progress=progress,
        )  # fmt: skip

    def command(self) -> str:
        """As on the command line."""
        regimen = f" --regimen {shlex.quote(self.regimen)}" if self.regimen else ""
        return (
            f"her2sim exposure {shlex.quote(self.drug)}{regimen} --population {self.population} "
            f"--patients {self.patients} --seed {self.seed}"
        )

    def python(self) -> str:
        """As in a notebook."""
        regimen = f', regimen="{self.regimen}"' if self.regimen else ""
        return (
            "import her2sim as h2\n\n"
            f'pk = h2.exposure("{self.drug}", "{self.population}", n={self.patients}, '
            f"seed={self.seed}{regimen})\npk.published(); pk.plot(); pk.sources()"
        )


class RecordQuestion(Question):
    """A real treatment record against the label."""

    kind = "record"
    title = "A record"

    upload: str = Field(title="record")
    region: Literal["us", "eu"] = Field(default="us", title="label")

    _is_dropped = field_validator("upload")(dropped_file)

    def answer(self, folder: Path, progress: Progress = no_progress) -> Answer:
        """Check it, under the name by which the command calls it."""
        import shutil
        import tempfile

        from her2sim.api.plan import check

        with tempfile.TemporaryDirectory() as place:
            record = Path(place) / "record.csv"
            shutil.copyfile(folder / f"{self.upload}.csv", record)
            return check(record, region=self.region)

    def attached(self, folder: Path) -> Mapping[str, Path]:
        """The record."""
        return {"record.csv": folder / f"{self.upload}.csv"}

    def command(self) -> str:
        """As on the command line."""
        return f"her2sim check record.csv --region {self.region}"

    def python(self) -> str:
        """As in a notebook."""
        return (
            "import her2sim as h2\n\n"
            f'found = h2.check("record.csv", region="{self.region}")\nfound.frame()'
        )


class PopulationQuestion(Question):
    """A regimen in a population: response, adverse events, doses held, progression."""

    kind = "population"
    title = "A population"

    regimen: str = Field(
        default="thp", title="regimen",
        description="by name, or written out: trastuzumab+docetaxel*6",
    )  # fmt: skip
    population: str = Field(default="mbc", title="population")
    patients: int = Field(default=1000, ge=50, le=20_000, title="patients")
    weeks: int = Field(default=78, ge=6, le=260, title="weeks")
    seed: int = Seed

    @field_validator("regimen")
    @classmethod
    def _is_known(cls, text: str) -> str:
        return checked_regimen(text)

    @field_validator("population")
    @classmethod
    def _is_a_population(cls, name: str) -> str:
        return known_population(name)

    def answer(self, folder: Path, progress: Progress = no_progress) -> Answer:
        """Treat them."""
        from her2sim.api.treatment import treat

        return treat(
            self.regimen, self.population, self.patients, weeks=self.weeks, seed=self.seed,
            progress=progress,
        )  # fmt: skip

    def command(self) -> str:
        """As on the command line."""
        return (
            f"her2sim population --population {self.population} --regimen "
            f"{shlex.quote(self.regimen)} --patients {self.patients} --weeks {self.weeks} "
            f"--seed {self.seed}"
        )

    def python(self) -> str:
        """As in a notebook."""
        return (
            "import her2sim as h2\n\n"
            f'run = h2.treat("{self.regimen}", "{self.population}", n={self.patients}, '
            f"weeks={self.weeks}, seed={self.seed})\nrun.patients(); run.decisions()"
        )


QUESTIONS: tuple[type[Question], ...] = (
    PatientQuestion, TrialQuestion, OwnTrialQuestion, GridQuestion, DrugQuestion,
    LevelsQuestion, RecordQuestion, PopulationQuestion,
)  # fmt: skip


def question_of(kind: str, told: Mapping[str, Any]) -> Question:
    """The question of a kind with its fields.

    Raises
    ------
    DataError
        If there is no such kind, or fields have faults, with all of them.
    """
    kinds = {question.kind: question for question in QUESTIONS}
    if kind not in kinds:
        raise DataError(f"{kind[:40]!r} is no question; known: {', '.join(kinds)}")
    try:
        return kinds[kind].model_validate(dict(told))
    except ValidationError as error:
        raise DataError("; ".join(faults_by_field(error, kinds[kind]).values())) from None
