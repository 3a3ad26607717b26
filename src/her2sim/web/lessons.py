"""Lessons as data, and icon arrays of published shares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydantic import model_validator

from her2sim.facts import FactFile, FactModel, read_fact_file


class Lesson(FactModel):
    """A stage in plain words, a thing to try, and a question with its answer."""

    stage: str
    title: str
    text: str
    try_this: str
    link: str
    question: str
    choices: tuple[str, ...]
    answer: int
    why: str

    @model_validator(mode="after")
    def _has_its_answer(self) -> Lesson:
        if not 0 <= self.answer < len(self.choices):
            raise ValueError(f"{self.stage}: there is no choice {self.answer}")
        return self


class LessonFile(FactFile):
    """All lessons, in order."""

    lesson: tuple[Lesson, ...]


@cache
def lessons() -> tuple[Lesson, ...]:
    """The lessons of the page."""
    path = files("her2sim.web").joinpath("lessons.toml")
    return read_fact_file(path, LessonFile).lesson


def topics() -> str:
    """HER2 and its medicines in plain words, as Markdown."""
    return files("her2sim.web").joinpath("patients.md").read_text(encoding="utf-8")


ICONS = 100


@dataclass(frozen=True)
class IconArray:
    """A share of 100 people in words and icons."""

    title: str
    count: int
    text: str
    source: str


def icon_arrays(trial_name: str) -> tuple[IconArray, ...]:
    """Published shares of a trial's arms: of 100 people, so many."""
    from her2sim.trials.library import load_trial

    trial = load_trial(trial_name)
    found = []
    for row in trial.outcome:
        if row.measure != "rate_percent" or row.at_month is None or row.subgroup or row.arm is None:
            continue
        what, otherwise = PLAIN.get(row.endpoint, ("", ""))
        if row.value is None or not what or not 0 <= row.value <= ICONS:
            continue
        count = round(row.value)
        found.append(
            IconArray(
                f"{trial.arm_of(row.arm).title} ({trial.id}, {WORDS[trial.setting]})", count,
                f"After {_time_text(row.at_month)}, {count} of 100 people {what}; "
                f"{ICONS - count} {otherwise}.",
                trial.source_text(row.source) if row.source else "",
            )
        )  # fmt: skip
    return tuple(found)


def _time_text(months: float) -> str:
    """A time as people tell it: years where they are whole and more than one."""
    years = months / MONTHS_PER_YEAR
    return f"{years:g} years" if years > 1 and years.is_integer() else f"{months:g} months"


MONTHS_PER_YEAR = 12
WORDS = {"early": "early breast cancer", "metastatic": "breast cancer that has spread"}
"""Settings in plain words."""
PLAIN = {
    "PFS": ("lived without their cancer growing", "did not"),
    "OS": ("were alive", "had died"),
    "iDFS": ("lived without the cancer coming back", "did not"),
    "DFS": ("lived without the cancer coming back", "did not"),
    "EFS": ("lived without the cancer coming back", "did not"),
}
"""Endpoints in plain words, and their opposite."""
