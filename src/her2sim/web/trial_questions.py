"""Questions about trials: one of the library, one of your own, and a grid of designs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, field_validator, model_validator

from her2sim.arrays import Progress, no_progress
from her2sim.web.question import Question, Seed, dropped_file, known, library_name

if TYPE_CHECKING:
    from her2sim.api.result import Answer


class TrialQuestion(Question):
    """A trial of the library, predicted beside what was published."""

    kind = "trial"
    title = "A trial"

    name: str = Field(default="destiny-breast03", title="trial")
    per_arm: int = Field(default=500, ge=50, le=5000, title="patients an arm")
    seed: int = Seed

    _is_of_library = field_validator("name")(library_name)

    @field_validator("name")
    @classmethod
    def _is_known(cls, name: str) -> str:
        from her2sim.trials.library import load_trial, trial_names

        found = known(lambda: load_trial(name).id)
        return name.casefold() if name.casefold() in trial_names() else found

    def answer(self, folder: Path, progress: Progress = no_progress) -> Answer:
        """Run it."""
        from her2sim.api.trial import run_trial

        return run_trial(self.name, per_arm=self.per_arm, seed=self.seed, progress=progress)

    def command(self) -> str:
        """As on the command line."""
        return (
            f"her2sim trial run {self.name} --per-arm {self.per_arm} --seed {self.seed} "
            f"--html {self.name}.html"
        )

    def python(self) -> str:
        """As in a notebook."""
        return (
            "import her2sim as h2\n\n"
            f'trial = h2.run_trial("{self.name}", per_arm={self.per_arm}, seed={self.seed})\n'
            "trial.hazard_ratios(); trial.plot_km(); trial.sources()"
        )


class OwnTrialQuestion(Question):
    """A trial of one's own, from a file that was built in the form or dropped."""

    kind = "own-trial"
    title = "A trial of your own"

    upload: str = Field(title="trial file")
    per_arm: int = Field(default=300, ge=50, le=5000, title="patients an arm")
    seed: int = Seed

    _is_dropped = field_validator("upload")(dropped_file)

    def answer(self, folder: Path, progress: Progress = no_progress) -> Answer:
        """Run it."""
        from her2sim.api.trial import run_trial

        return run_trial(
            folder / f"{self.upload}.toml", per_arm=self.per_arm, seed=self.seed, progress=progress
        )

    def attached(self, folder: Path) -> Mapping[str, Path]:
        """The trial file."""
        return {"trial.toml": folder / f"{self.upload}.toml"}

    def command(self) -> str:
        """As on the command line."""
        return f"her2sim trial run trial.toml --per-arm {self.per_arm} --seed {self.seed}"

    def python(self) -> str:
        """As in a notebook."""
        return (
            "import her2sim as h2\n\n"
            f'trial = h2.run_trial("trial.toml", per_arm={self.per_arm}, seed={self.seed})\n'
            "trial.hazard_ratios(); trial.plot_km()"
        )


Numbers = Annotated[str, Field(max_length=100)]
"""Numbers in a field, with commas between them."""
SIZES, MONTHS, EFFECTS = (10, 20_000), (0.1, 180), (0, 100)
"""Least and largest of them: patients an arm, months of follow-up, per cent of an effect."""


def _listed_help(limits: tuple[float, float]) -> str:
    return f"{limits[0]:g} to {limits[1]:,}, with commas"


class GridQuestion(Question):
    """Many designs of one trial: power, duration and patients."""

    kind = "grid"
    title = "A grid of designs"
    is_long = True

    name: str = Field(default="destiny-breast03", title="trial")
    upload: str = Field(default="", title="trial file")
    per_arm: Numbers = Field(
        default="50, 100, 200", title="patients an arm", description=_listed_help(SIZES)
    )
    follow_up: Numbers = Field(
        default="6, 12, 24", title="follow-up, months", description=_listed_help(MONTHS)
    )
    effect: Numbers = Field(
        default="100, 50, 0", title="effect that is there, %",
        description="of the predicted; 100 is all of it, 0 none",
    )  # fmt: skip
    pool: int = Field(default=100, ge=50, le=1000, title="simulated patients a member")
    seed: int = Seed

    _is_of_library = field_validator("name")(library_name)

    @field_validator("upload")
    @classmethod
    def _is_dropped(cls, name: str) -> str:
        return dropped_file(name) if name else ""

    @field_validator("name")
    @classmethod
    def _is_known(cls, name: str) -> str:
        from her2sim.trials.library import load_trial

        return known(lambda: load_trial(name).id)

    @field_validator("per_arm")
    @classmethod
    def _are_sizes(cls, text: str) -> str:
        return _listed(text, *SIZES, is_whole=True)

    @field_validator("follow_up")
    @classmethod
    def _are_months(cls, text: str) -> str:
        return _listed(text, *MONTHS)

    @field_validator("effect")
    @classmethod
    def _are_effects(cls, text: str) -> str:
        return _listed(text, *EFFECTS)

    @model_validator(mode="after")
    def _is_a_grid(self) -> GridQuestion:
        from her2sim.studies.trial.grid import GridAsked

        known(lambda: str(GridAsked(self._sizes(), self._months(), self._effects())))
        return self

    def _sizes(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.per_arm.split(","))

    def _months(self) -> tuple[float, ...]:
        return tuple(map(float, self.follow_up.split(",")))

    def _effects(self) -> tuple[float, ...]:
        return tuple(map(float, self.effect.split(",")))

    def answer(self, folder: Path, progress: Progress = no_progress) -> Answer:
        """Work all designs out."""
        from her2sim.api.trial_size import design_grid

        return design_grid(
            folder / f"{self.upload}.toml" if self.upload else self.name,
            self._sizes(), self._months(), self._effects(), self.seed,
            pool=self.pool, progress=progress,
        )  # fmt: skip

    def attached(self, folder: Path) -> Mapping[str, Path]:
        """The trial file, if it is none of the library."""
        return {"trial.toml": folder / f"{self.upload}.toml"} if self.upload else {}

    def command(self) -> str:
        """As on the command line."""
        lists = (self.per_arm, self.follow_up, self.effect)
        sizes, months, effects = (text.replace(" ", "") for text in lists)
        return (
            f"her2sim trial grid {'trial.toml' if self.upload else self.name} --per-arm {sizes} "
            f"--follow-up {months} --effect {effects} --pool {self.pool} --seed {self.seed}"
        )

    def python(self) -> str:
        """As in a notebook."""
        name = "trial.toml" if self.upload else self.name
        return (
            "import her2sim as h2\n\n"
            f'grid = h2.design_grid("{name}", {self._sizes()}, {self._months()}, '
            f"{self._effects()}, {self.seed}, pool={self.pool})\ngrid.frame(); grid.plot()"
        )


def _listed(text: str, low: float, high: float, *, is_whole: bool = False) -> str:
    """Numbers of a field with commas between them, as they are kept.

    Raises
    ------
    ValueError
        If one is none, is beyond its limits, or stands there twice.
    """
    found: list[str] = []
    for part in text.split(","):
        try:
            value = float(part)
        except ValueError:
            raise ValueError(f"{part.strip()!r} is no number; write 50, 100") from None
        if not low <= value <= high:
            raise ValueError(f"{value:g}: use {low:g} to {high:g}")
        if is_whole and not value.is_integer():
            raise ValueError(f"{value:g}: use whole numbers")
        found.append(f"{value:.10g}")
    if len(set(found)) < len(found):
        raise ValueError("give each value once")
    return ", ".join(found)
