"""Many patients treated by the labels' rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from her2sim.api.arguments import Count, Told, Weeks, checked
from her2sim.api.asked import asked_of_regimen
from her2sim.api.patients import Patients
from her2sim.api.result import Reported, Result, typed_frame, without_nan
from her2sim.api.sources import patient_facts, sources_frame
from her2sim.arrays import no_progress
from her2sim.patients.covariates import Setting
from her2sim.patients.her2_test import Ihc

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure
    from rich.table import Table

    from her2sim.pk.treatment import Treatment
    from her2sim.studies.population import PopulationReport
    from her2sim.virtual_patient.treat import Treated

    Frames = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]
    """Outcomes, decisions and doses of some patients."""


@dataclass(frozen=True, eq=False, repr=False)
class TreatedPatients(Reported, Result):
    """What happened to some patients on a regimen."""

    report: PopulationReport
    parts: tuple[Frames, ...]

    def heading(self) -> str:
        """Regimen, patients, weeks and rules."""
        from her2sim.report.population_view import heading

        return heading(self.report)

    def tables(self) -> tuple[Table, ...]:
        """Outcomes, and the rules that acted."""
        from her2sim.report.population_view import population_tables

        return population_tables(self.report)

    def frame(self) -> pl.DataFrame:
        """Outcomes over the patients, one row each."""
        from her2sim.studies.population_estimates import PopulationEstimate

        return typed_frame(PopulationEstimate, self.report.outcomes)

    def _part(self, place: int) -> pl.DataFrame:
        import polars as pl

        from her2sim.errors import DataError

        if not self.parts:
            raise DataError("patients were not kept one by one: treat them with keep=True")
        found = pl.concat((part[place] for part in self.parts), how="diagonal_relaxed")
        return without_nan(found.sort("patient", maintain_order=True))

    def patients(self) -> pl.DataFrame:
        """What became of each patient, one row each; days are infinite where nothing came."""
        return self._part(0)

    def decisions(self) -> pl.DataFrame:
        """What rules did: one row a hold, resumption, reduction or stop."""
        return self._part(1)

    def doses(self) -> pl.DataFrame:
        """The dosing record: one row a dose, or one for tablets of some days."""
        return self._part(2)

    def plot(self) -> Figure:
        """Tumour, LVEF and blood counts over time: median, 5th and 95th percentile."""
        from her2sim.report.population_view import bands_figure

        return bands_figure(self.report)

    def sources(self) -> pl.DataFrame:
        """Sources of the drugs, the labels, and the models of tumour and organs."""
        report = self.report
        return sources_frame(patient_facts(report.combination.treatments, report.how.region))


def _frames(treated: Treated) -> Frames:
    """Patients, decisions and doses of some who were treated."""
    import polars as pl

    from her2sim.virtual_patient.outcomes import patient_outcomes

    numbers, run = treated.people.cohort.numbers, treated.protocol_run
    drugs = tuple(drug.treatment.drug.id for drug in treated.whole.drugs)
    outcomes = patient_outcomes(treated).frame()
    return (
        pl.concat([pl.DataFrame({"patient": numbers}), outcomes], how="horizontal"),
        run.log.frame(numbers, drugs),
        run.record.frame(numbers, drugs),
    )


def _require_rules(labels: str | None, *, unconfirmed: bool, confirm: bool, scan: str) -> None:
    """Refuse what only rules would use where there are none."""
    from her2sim.errors import DataError

    usual = {"unconfirmed": unconfirmed, "confirm": not confirm, "scan": scan == "echo"}
    unused = [name for name, is_usual in usual.items() if not is_usual]
    if labels is None and unused:
        raise DataError(f"{', '.join(unused)}: nothing is measured without the rules of labels")


def _require_there(
    treatments: Sequence[Treatment],
    setting: Setting,
    without: tuple[str, ...],
    earlier_lines: int,
    earlier_drugs: tuple[str, ...] | None,
) -> None:
    """Refuse to switch off what there is not, and earlier lines in early disease."""
    from her2sim.errors import DataError
    from her2sim.virtual_patient.composition import require_mechanisms, virtual_patient
    from her2sim.virtual_patient.drugs import ORGANS

    if setting == "early" and earlier_lines:
        raise DataError(f"earlier lines {earlier_lines}: early disease has none; leave it out")
    if setting == "early" and earlier_drugs:
        raise DataError("earlier drugs change a lesion, and early disease has none; leave them out")
    sites = ("",) if setting == "metastatic" else ()
    require_mechanisms(virtual_patient(treatments, sites, ORGANS), without)


@checked
def treat(
    regimen: str,
    patients: Patients | Path | str = "mbc",
    n: int | None = None,
    weeks: Annotated[Weeks, Field(ge=3, le=520)] = 104,
    seed: int | None = None,
    *,
    labels: Literal["us", "eu"] | None = "us",
    unconfirmed: bool = True,
    confirm: bool = False,
    ihc: Ihc = "3+",
    ish: Literal["positive", "negative"] | None = None,
    earlier_lines: Annotated[int, Field(ge=0, le=10)] = 0,
    earlier_drugs: tuple[str, ...] | None = None,
    after_anthracycline: bool = False,
    scan: Literal["echo", "muga", "none"] = "echo",
    given_with: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    members: Count = 1,
    keep: bool = True,
    progress: Told = None,
    threads: Count | None = None,
) -> TreatedPatients:
    """Treat patients visit by visit, and say what happened to them.

    Readings come from the patients' own heart, blood, lung, gut and liver, and the labels' rules
    act on them.

    Parameters
    ----------
    regimen : a named regimen (``thp``), or drugs joined by ``+``
    patients : those of :func:`her2sim.population`, or the name of a population
    n : how many; 10,000 of a population or all of a table without it
    weeks : how long they are followed
    seed : decides everything about them; drawn, and shown, without it
    labels : whose rules hold, lower and stop doses; None: nothing but progression does
    unconfirmed : whether rules whose text was not read act
    confirm : whether a hold needs a second measurement that agrees
    ihc, ish : HER2 test of all patients; without ``ish`` 2+ and 3+ count as positive
    earlier_lines, after_anthracycline : what all had before
    earlier_drugs : drugs that all had before and that change how later ones act, as in
        ``("trastuzumab", "pertuzumab")``; without it as the population has them
    scan : how the LVEF is measured; ``none``: without error
    given_with : what is taken against adverse events, as in ``("loperamide",)``
    without : mechanisms that are switched off, as in ``("adcc",)``
    members : members of the ensemble; with more than one the spread is shown
    keep : whether outcomes, decisions and doses of each patient stay in memory (3 to 11 kB a
        patient of two years)
    progress : told patients done and in all

    Raises
    ------
    Her2SimError
        If a name is unknown, or the input has faults.
    """
    from her2sim.biology.heart import CardiacProfile
    from her2sim.biology.tumour_profile import AMPLIFIED_BY, TumourProfile
    from her2sim.drugs.supportive import require_known
    from her2sim.errors import all_of
    from her2sim.studies.population import population_report
    from her2sim.units import DAY_PER_WEEK
    from her2sim.virtual_patient.treat import TreatmentPlan

    combination, whom = asked_of_regimen(regimen, patients, n, seed)
    setting, treatments = whom.found.setting, combination.treatments
    all_of(
        lambda: require_known(given_with, [t.drug.id for t in treatments]),
        lambda: _require_there(treatments, setting, without, earlier_lines, earlier_drugs),
        lambda: _require_rules(labels, unconfirmed=unconfirmed, confirm=confirm, scan=scan),
    )
    how = TreatmentPlan(
        weeks * DAY_PER_WEEK, setting, labels or "us", labels is not None,
        unconfirmed, confirm, scan, given_with, without,
    )  # fmt: skip
    lines = -1 if setting == "early" else earlier_lines
    tumour = TumourProfile(
        ihc, AMPLIFIED_BY.get(ish or ""), earlier_lines=lines, earlier_drugs=earlier_drugs
    )
    parts: list[Frames] = []

    def seen(treated: Treated) -> None:
        if keep:
            parts.append(_frames(treated))

    report = population_report(
        combination, whom.found, whom.n, whom.seed, how, tumour,
        CardiacProfile(after_anthracycline),
        members=members, seen=seen, progress=progress or no_progress, threads=threads,
    )  # fmt: skip
    return TreatedPatients(report, tuple(parts))
