"""Why two patients on one regimen differ."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from her2sim.api.arguments import checked
from her2sim.api.patients import patient_of
from her2sim.api.result import Answer, Reported, seed_or_drawn, without_nan
from her2sim.api.sources import patient_facts, sources_frame
from her2sim.patients.patient import Patient

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from her2sim.studies.explain import Explanation


@dataclass(frozen=True, eq=False, repr=False)
class ExplainedDifference(Reported, Answer):
    """Two patients, number by number, and what each number rests on."""

    report: Explanation
    seed: int

    def heading(self) -> str:
        """What efficacy rests on, where that is not breast cancer; regimen and seed."""
        line = f"{self.report.combination.title}; seed {self.seed}; all doses as planned"
        return "\n".join((*self.report.evidence, line))

    def tables(self) -> tuple[Table, ...]:
        """Both patients, and what makes them differ."""
        from her2sim.report.explain_tables import explanation_tables

        return explanation_tables(self.report)

    def basis_table(self) -> Table:
        """What every number of the model rests on."""
        from her2sim.report.explain_tables import basis_table

        return basis_table(self.report)

    def frame(self) -> pl.DataFrame:
        """One row a number in which they differ."""
        return without_nan(self.report.frame())

    def basis(self) -> pl.DataFrame:
        """What every number of the model rests on, one row each."""
        import polars as pl

        rows = [{"number": name} | vars(basis) for name, basis in self.report.basis.items()]
        return pl.DataFrame(rows, infer_schema_length=None)

    def sources(self) -> pl.DataFrame:
        """Sources of the drugs, and of the models of tumour and organs."""
        return sources_frame(patient_facts(self.report.combination.treatments, "us"))


@checked
def explain(
    patient: Patient | Path | str,
    regimen: str,
    other: Patient | Path | str | None = None,
    weeks: Annotated[int, Field(ge=3, le=520)] = 24,
    seed: int | None = None,
) -> ExplainedDifference:
    """Why two patients differ on a regimen, number by number.

    Each number of the second is given to the first alone; what a number rests on is beside it.

    Parameters
    ----------
    patient : a TOML file
    regimen : a named regimen, or drugs joined by ``+``; all doses are given as planned
    other : the second one; without it the same patient is drawn a second time, and what differs
        then is what no test told
    weeks : when they are compared
    seed : decides what no test told; drawn, and shown, without it

    Raises
    ------
    Her2SimError
        If a name is unknown, or a file has faults.
    """
    from her2sim.pk.combination import load_combination
    from her2sim.studies.explain import explanation
    from her2sim.timeline.pair import pair_of_patients

    combination, number = load_combination(regimen), seed_or_drawn(seed)
    first = patient_of(patient)
    second = first if other is None else patient_of(other)
    people = pair_of_patients(first, second, combination.treatments, number)
    names = (
        _name(patient, "the first"), "drawn again" if other is None else _name(other, "the other")
    )  # fmt: skip
    return ExplainedDifference(explanation(combination, people, weeks, names), number)


def _name(given: Patient | Path | str, otherwise: str) -> str:
    """What a patient is called: the name of the file."""
    return otherwise if isinstance(given, Patient) else Path(given).stem
