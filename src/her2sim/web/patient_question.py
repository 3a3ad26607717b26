"""One patient in fields: test, body, heart, regimen and what is changed in it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator, model_validator

from her2sim.arrays import Progress, no_progress
from her2sim.drugs.drug import load_drug
from her2sim.patients.patient import Patient
from her2sim.regimens.library import RegimenPart, load_regimen
from her2sim.regimens.regimen import labelled_regimen
from her2sim.web.question import LARGEST_SEED, Question, checked_regimen

if TYPE_CHECKING:
    from her2sim.api.result import Answer

TURNED_INTO = {
    "3+": {"ihc": "3+"},
    "2+ amplified": {"ihc": "2+", "ish": "positive"},
    "2+": {"ihc": "2+", "ish": "negative"},
    "1+": {"ihc": "1+"},
    "0": {"ihc": "0"},
}
"""HER2 results that the slider goes through, as a report tells them."""
Her2Result = Literal["3+", "2+ amplified", "2+", "1+", "0"]


@lru_cache(maxsize=1)
def usual_patient() -> Patient:
    """The made-up patient that the page opens with."""
    from her2sim.facts import read_fact_file

    return read_fact_file(files("her2sim.web").joinpath("patient.toml"), Patient)


class PatientQuestion(Question):
    """One patient through the whole chain, under the labels' rules or without them."""

    kind = "patient"
    title = "One patient"

    her2: Her2Result = Field(default="3+", title="HER2 test")
    weight_kg: float = Field(default=68.0, ge=35, le=160, title="weight, kg")
    lvef_percent: float = Field(default=64.0, ge=40, le=80, title="LVEF before, %")
    tumour_mm: float = Field(default=62.0, ge=10, le=300, title="sum of diameters, mm")
    lines_before: int = Field(default=1, ge=0, le=4, title="anti-HER2 lines before")
    regimen: str = Field(default="trastuzumab-deruxtecan", title="regimen")
    dose_percent: int = Field(default=100, ge=25, le=200, title="dose, % of the label")
    every_weeks: int = Field(default=0, ge=0, le=8, title="weeks between doses (0: label)")
    missed: int = Field(default=0, ge=0, le=12, title="dose that is missed (0: none)")
    weeks: int = Field(default=52, ge=6, le=156, title="weeks")
    rules: bool = Field(default=True, title="rules of the label")
    region: Literal["us", "eu"] = Field(default="us", title="label")
    seed: int = Field(default=4, ge=0, le=LARGEST_SEED, title="seed")

    @field_validator("regimen")
    @classmethod
    def _is_known(cls, text: str) -> str:
        return checked_regimen(text)

    @model_validator(mode="after")
    def _fits_together(self) -> PatientQuestion:
        if self.missed == 1:
            raise ValueError("missed: the first dose cannot be missed; choose 2 or more")
        checked_regimen(self.changed_regimen())
        return self

    def patient(self) -> Patient:
        """The usual patient with what is told here."""
        usual = usual_patient().model_dump(exclude_defaults=True)
        body = usual["body"] | {
            "weight_kg": self.weight_kg, "sum_of_diameters_mm": self.tumour_mm
        }  # fmt: skip
        history = ["untreated_metastatic"] if not self.lines_before else HISTORY_LATER
        return Patient.model_validate(
            usual
            | {
                "her2_test": [TURNED_INTO[self.her2]],
                "body": body,
                "lvef_percent": self.lvef_percent,
                "history": history,
                "anti_her2_regimens_metastatic": self.lines_before,
            }
        )

    def changed_regimen(self) -> str:
        """The regimen with its doses, interval and missed dose written out."""
        dose = "" if self.dose_percent == 100 else f"%{self.dose_percent}"
        visits = f"~{7 * self.every_weeks}" if self.every_weeks else ""
        visits += f"^{self.missed}" if self.missed else ""
        if not dose and not visits:
            return self.regimen
        parts = load_regimen(self.regimen).part
        moved = _given_at_visits(parts)
        return " + ".join(
            _written(part, dose if k == 0 else "", visits if k in moved else "")
            for k, part in enumerate(parts)
        )

    def changed_drugs(self) -> str:
        """Which drugs of a regimen of several the sliders act on; empty if none was moved."""
        parts = load_regimen(self.regimen).part
        told = []
        if self.dose_percent != 100:
            told.append(f"the dose is that of {parts[0].drug}")
        if self.every_weeks or self.missed:
            names = ", ".join(parts[k].drug for k in _given_at_visits(parts))
            told.append(f"interval and missed dose are those of {names}")
        return f"Changed here: {'; '.join(told)}." if told and len(parts) > 1 else ""

    def answer(self, folder: Path, progress: Progress = no_progress) -> Answer:
        """Treat the patient."""
        from her2sim.api.course import course

        return course(
            self.patient(), self.changed_regimen(), self.weeks,
            region=self.region, rules=self.rules, seed=self.seed,
        )  # fmt: skip

    def files(self) -> Mapping[str, str]:
        """The patient file."""
        return {"patient.toml": patient_toml(self.patient())}

    def command(self) -> str:
        """As on the command line."""
        rules = "" if self.rules else " --rules off"
        region = "" if self.region == "us" else f" --region {self.region}"
        return (
            f"her2sim course patient.toml --regimen {shlex.quote(self.changed_regimen())} "
            f"--weeks {self.weeks}{region}{rules} --seed {self.seed}"
        )

    def python(self) -> str:
        """As in a notebook."""
        rules = "" if self.rules else ", rules=False"
        region = "" if self.region == "us" else f', region="{self.region}"'
        return (
            "import her2sim as h2\n\n"
            f'course = h2.course("patient.toml", "{self.changed_regimen()}", {self.weeks}'
            f"{region}{rules}, seed={self.seed})\ncourse.decisions(); course.plot()"
        )


HISTORY_LATER = [
    "prior_trastuzumab", "prior_taxane", "prior_systemic", "prior_chemotherapy_metastatic",
]  # fmt: skip


def _given_at_visits(parts: Sequence[RegimenPart]) -> list[int]:
    """Drugs of a regimen that are given at the same visits: the first infused one sets them."""
    phases = [labelled_regimen(load_drug(part.drug), part.regimen).phases[0] for part in parts]
    infused = [k for k, phase in enumerate(phases) if phase.route != "oral"]
    if not infused:
        return [0]
    first = phases[infused[0]].interval_min
    return [k for k in infused if phases[k].interval_min == first and not parts[k].start_day]


def _written(part: RegimenPart, dose: str, visits: str) -> str:
    """A part of a regimen as it is written out, with what changes."""
    doses = "" if part.doses is None else f"*{part.doses}"
    start = f"@{part.start_day:g}" if part.start_day else ""
    return f"{part.drug}/{part.regimen}{doses}{dose}{visits}{start}"


def patient_toml(patient: Patient) -> str:
    """A patient as a patient file."""
    import tomli_w

    told = patient.model_dump(mode="json", exclude_defaults=True)
    told.pop("sources", None)
    return tomli_w.dumps(told)
