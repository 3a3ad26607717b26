"""What comes with her2sim: drugs, regimens and trials."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from her2sim.api.arguments import checked
from her2sim.api.result import Answer, with_notice
from her2sim.api.sources import exposure_facts, sources_frame

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from her2sim.api.sources import Named
    from her2sim.drugs.drug import Drug
    from her2sim.drugs.pk import PkModel
    from her2sim.pk.combination import Combination
    from her2sim.regimens.library import NamedRegimen
    from her2sim.trials.trial import Trial


class _Known(Answer):
    """Facts that are listed or shown; nothing is simulated."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing but the facts themselves."""
        return ()

    @abstractmethod
    def facts(self) -> Iterator[Named]:
        """The files that the facts are in."""

    def sources(self) -> pl.DataFrame:
        """Sources of the facts."""
        return sources_frame(self.facts())

    def as_dict(self) -> dict[str, Any]:
        """The facts as plain data, for JSON."""
        return with_notice({"facts": self.frame().to_dicts()})


@dataclass(frozen=True, eq=False, repr=False)
class DrugList(_Known):
    """The drugs, with their usual models and regimens."""

    drugs: tuple[Drug, ...]

    def heading(self) -> str:
        """How many there are."""
        return f"{len(self.drugs)} drugs"

    def tables(self) -> tuple[Table, ...]:
        """One row a drug."""
        from her2sim.report.known import drug_list_table

        return (drug_list_table(list(self.drugs)),)

    def frame(self) -> pl.DataFrame:
        """One row a drug: names, model and regimens."""
        import polars as pl

        rows = [
            {
                "drug": drug.id,
                "title": drug.title,
                "class": drug.drug_class,
                "model": drug.default_model,
                "regimens": list(drug.regimen),
                "aliases": list(drug.aliases),
            }
            for drug in self.drugs
        ]
        return pl.DataFrame(rows, schema_overrides={"aliases": pl.List(pl.String)})

    def facts(self) -> Iterator[Named]:
        """The files of the drugs."""
        yield from ((f"{drug.id} regimens", drug) for drug in self.drugs)


@dataclass(frozen=True, eq=False, repr=False)
class DrugFacts(_Known):
    """What is known of a drug and one of its models."""

    drug: Drug
    pk: PkModel

    def heading(self) -> str:
        """Drug and model."""
        return f"{self.drug.id}: {self.drug.title}; model {self.pk.name} ({self.pk.status})"

    def text(self) -> str:
        """Equations, numbers, variability, regimens and sources, in words."""
        from her2sim.report.known import drug_text

        return drug_text(self.drug, self.pk)

    def tables(self) -> tuple[Table, ...]:
        """Typical values of the model."""
        from her2sim.report.known import facts_table

        return (facts_table(self.frame()),)

    def frame(self) -> pl.DataFrame:
        """Typical values of the model: one row a parameter, with status and source."""
        import polars as pl

        cvs = {name: cv.value for name, cv in self.pk.variability.cv_percent.items()}
        rows = [
            {
                "parameter": name,
                "value": quantity.value,
                "unit": quantity.unit,
                "cv_percent": cvs.get(name),
                "status": quantity.status,
                "source": quantity.source or quantity.reason,
            }
            for name, quantity in self.pk.parameter.items()
        ]
        return pl.DataFrame(rows, schema_overrides={"cv_percent": pl.Float64})

    def facts(self) -> Iterator[Named]:
        """The files of the drug and the model."""
        yield from ((f"{self.drug.id} pharmacokinetics", self.pk), (self.drug.id, self.drug))


@dataclass(frozen=True, eq=False, repr=False)
class RegimenList(_Known):
    """The named regimens."""

    regimens: tuple[NamedRegimen, ...]

    def heading(self) -> str:
        """How many there are."""
        return f"{len(self.regimens)} regimens"

    def tables(self) -> tuple[Table, ...]:
        """One row a regimen."""
        from her2sim.report.known import regimen_list_table

        return (regimen_list_table(self.regimens),)

    def frame(self) -> pl.DataFrame:
        """One row a regimen: names, drugs and setting."""
        import polars as pl

        rows = [
            {
                "regimen": one.id,
                "title": one.title,
                "setting": one.setting,
                "drugs": [part.drug for part in one.part],
                "aliases": list(one.aliases),
            }
            for one in self.regimens
        ]
        return pl.DataFrame(rows, schema_overrides={"aliases": pl.List(pl.String)})

    def facts(self) -> Iterator[Named]:
        """The files of the regimens."""
        yield from ((one.id, one) for one in self.regimens)


@dataclass(frozen=True, eq=False, repr=False)
class RegimenFacts(_Known):
    """What is known of a regimen."""

    regimen: NamedRegimen
    combination: Combination

    def heading(self) -> str:
        """Name and title."""
        return f"{self.regimen.id}: {self.regimen.title}"

    def text(self) -> str:
        """Drugs, doses, interactions, labels and sources, in words."""
        from her2sim.report.known import regimen_text

        return regimen_text(self.regimen, self.combination)

    def tables(self) -> tuple[Table, ...]:
        """Drugs and doses."""
        from her2sim.report.known import facts_table

        return (facts_table(self.frame()),)

    def frame(self) -> pl.DataFrame:
        """One row a drug: model, doses and start."""
        import polars as pl

        rows = [
            {
                "drug": treatment.drug.id,
                "model": treatment.pk.model,
                "regimen": treatment.regimen.title,
                "doses": part.doses,
                "start_day": part.start_day,
                "status": part.status,
                "source": part.source or part.reason,
            }
            for part, treatment in zip(self.regimen.part, self.combination.treatments, strict=True)
        ]
        return pl.DataFrame(rows, schema_overrides={"doses": pl.Int64})

    def facts(self) -> Iterator[Named]:
        """The files of the regimen and its drugs."""
        yield self.regimen.id, self.regimen
        for treatment in self.combination.treatments:
            yield from exposure_facts(treatment)


@dataclass(frozen=True, eq=False, repr=False)
class TrialList(_Known):
    """The published trials."""

    trials: Mapping[str, Trial]

    def heading(self) -> str:
        """How many there are."""
        return f"{len(self.trials)} trials"

    def tables(self) -> tuple[Table, ...]:
        """One row a trial."""
        from her2sim.report.trial_list import trials_table

        return (trials_table(self.trials),)

    def frame(self) -> pl.DataFrame:
        """One row a trial: setting, arms and title."""
        import polars as pl

        return pl.DataFrame(
            {
                "trial": name,
                "tumour": trial.tumour_type,
                "setting": trial.setting,
                "arms": [arm.id for arm in trial.arm],
                "title": trial.title,
            }
            for name, trial in self.trials.items()
        )

    def facts(self) -> Iterator[Named]:
        """The files of the trials."""
        yield from self.trials.items()


@checked
def drug_list() -> DrugList:
    """The drugs that come with her2sim, with their usual models and regimens."""
    from her2sim.drug_names import drug_names
    from her2sim.drugs.drug import load_drug

    return DrugList(tuple(load_drug(name) for name in drug_names()))


@checked
def drug(name: str) -> DrugFacts:
    """What is known of a drug: equations, typical values, variability, regimens, sources.

    Parameters
    ----------
    name : an INN, a brand name or ``DRUG:MODEL``

    Raises
    ------
    UnknownNameError
        If there is no such drug or model.
    """
    from her2sim.drugs.drug import load_drug, load_pk

    return DrugFacts(load_drug(name), load_pk(name))


@checked
def regimen_list() -> RegimenList:
    """The named regimens that come with her2sim."""
    from her2sim.regimens.library import named_regimens

    return RegimenList(tuple(named_regimens().values()))


@checked
def regimen(name: str) -> RegimenFacts:
    """What is known of a regimen: drugs, doses, interactions, labels, sources.

    Parameters
    ----------
    name : a named regimen, or another name of it

    Raises
    ------
    UnknownNameError
        If there is no such regimen.
    """
    from her2sim.pk.combination import load_combination
    from her2sim.regimens.library import load_regimen

    return RegimenFacts(load_regimen(name), load_combination(name))


@checked
def trial_list() -> TrialList:
    """The published trials that come with her2sim, and the questions of early disease."""
    from her2sim.trials.library import load_trial, question_names, trial_names

    return TrialList({name: load_trial(name) for name in (*trial_names(), *question_names())})
