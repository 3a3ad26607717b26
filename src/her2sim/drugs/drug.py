"""Drugs: names, models and labelled regimens, found by name."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

from pydantic import ConfigDict, Field

from her2sim.drug_names import find_meaning, meaning_of, names_of
from her2sim.drugs.pk import PkModel
from her2sim.errors import DataError, UnknownNameError, did_you_mean
from her2sim.facts import Claim, FactFile, FactModel, Quantity, read_fact_file

Group = Literal[
    "anti-HER2", "chemotherapy", "anthracycline", "taxane", "endocrine", "immunotherapy"
]


class LabelledDose(FactModel):
    """A dose as the label gives it."""

    amount: float = Field(gt=0)
    unit: Literal["mg", "mg/kg", "mg/m2"]
    duration_min: int = Field(ge=0)


class LabelledRegimen(Claim):
    """A regimen as the label gives it: a loading dose (or none), then maintenance doses.

    ``treated_day``: doses are given only in the first days of each cycle (14 of 21, say).
    ``is_once``: one dose only, of a study.
    """

    title: str
    route: Literal["iv", "sc", "oral"]
    interval_day: float = Field(gt=0)
    cycle_day: float = Field(gt=0)
    treated_day: float | None = Field(default=None, gt=0)
    is_once: bool = False
    loading: LabelledDose | None = None
    maintenance: LabelledDose


class Drug(FactFile):
    """A drug as her2sim knows it.

    ``acts_as`` names what it does to other medicines, as in "strong CYP3A4 inhibitor";
    ``substance`` is the drug that it is, given in another way; ``antibody`` is the drug whose
    antibody a conjugate carries. ``groups`` are those that labels and guidelines speak of,
    ``tells`` is what a treatment with it adds to a patient's history. ``target_trough`` is a
    concentration that was said to be wanted before each dose.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: str
    title: str
    drug_class: str = Field(alias="class")
    groups: tuple[Group, ...] = ()
    tells: tuple[str, ...] = ()
    acts_as: tuple[str, ...] = ()
    substance: str | None = None
    antibody: str | None = None
    default_model: str
    analyte: str
    target_trough: Quantity | None = None
    regimen: dict[str, LabelledRegimen]

    @property
    def aliases(self) -> tuple[str, ...]:
        """Its other names."""
        return names_of(self.id)

    def labelled_regimen(self, name: str) -> LabelledRegimen:
        """Look a regimen up by name."""
        if name not in self.regimen:
            raise UnknownNameError(
                f"{self.id} has no regimen {name!r}" + did_you_mean(name, self.regimen)
            )
        return self.regimen[name]


def _folder() -> Traversable:
    return files("her2sim.drugs")


@lru_cache(maxsize=1024)
def load_drug(name: str) -> Drug:
    """Load a drug by any of its names (a model after a colon is not read).

    Raises
    ------
    UnknownDrugError
        If there is no such drug.
    DataError
        If the name is that of a fixed combination.
    """
    text = name.partition(":")[0]
    meaning = meaning_of(text)
    if len(meaning.drugs) > 1:
        parts = " + ".join(
            drug if regimen is None else f"{drug}/{regimen}"
            for drug, regimen in zip(meaning.drugs, meaning.regimens, strict=True)
        )
        raise DataError(f"{text} is two drugs at once: write {parts}")
    return _load(meaning.drugs[0])


@cache
def _load(drug: str) -> Drug:
    return read_fact_file(_folder().joinpath(drug, "drug.toml"), Drug)


def is_drug(name: str) -> bool:
    """Whether it is a name of one drug (a model after a colon is not read)."""
    meaning = find_meaning(name.partition(":")[0])
    return meaning is not None and len(meaning.drugs) == 1


@cache
def pk_models(drug: str) -> dict[str, PkModel]:
    """All models of a drug, by name."""
    folder = _folder().joinpath(drug)
    found = sorted(p.name for p in folder.iterdir() if p.name.startswith("pk"))
    models = [read_fact_file(folder.joinpath(name), PkModel) for name in found]
    return {model.model: model for model in models}


def first_regimen(name: str) -> str:
    """The regimen that is listed first for a drug."""
    return next(iter(load_drug(name).regimen))


def load_pk(name: str) -> PkModel:
    """Load the pharmacokinetic model of ``DRUG`` (its default) or ``DRUG:MODEL``."""
    drug = load_drug(name)
    models = pk_models(drug.id)
    _, sign, model = name.partition(":")
    wanted = model if sign else drug.default_model
    if wanted not in models:
        raise UnknownNameError(f"{drug.id} has no model {wanted!r}" + did_you_mean(wanted, models))
    if models[wanted].drug != drug.id:
        raise DataError(f"pk file of {drug.id} says it is of {models[wanted].drug}")
    return models[wanted]
