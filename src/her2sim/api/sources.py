"""Sources of the numbers behind an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from her2sim.facts import FactFile

if TYPE_CHECKING:
    import polars as pl

    from her2sim.pk.treatment import Treatment
    from her2sim.trials.trial import Trial

Named = tuple[str, FactFile | None]
"""Facts by name; None if there are none of them."""


def sources_frame(files: Iterable[Named]) -> pl.DataFrame:
    """Sources of some facts, one row each: ``facts``, ``key``, ``source``."""
    import polars as pl

    rows = [
        (name, key, source.text())
        for name, file in files
        if file is not None
        for key, source in file.sources.items()
    ]
    columns = {"facts": pl.String, "key": pl.String, "source": pl.String}
    return pl.DataFrame(rows, schema=columns, orient="row").unique(maintain_order=True)


def exposure_facts(treatment: Treatment) -> Iterator[Named]:
    """Facts behind the concentrations of a drug."""
    from her2sim.drugs.exposures import published_exposures
    from her2sim.drugs.interactions import interactions_of

    drug = treatment.drug.id
    yield f"{drug} pharmacokinetics", treatment.pk
    yield f"{drug} regimens", treatment.drug
    yield f"{drug} published exposures", published_exposures(drug)
    if treatment.interactions:
        yield f"{drug} interactions", interactions_of(drug)


def patient_facts(treatments: Iterable[Treatment], region: str) -> Iterator[Named]:
    """Facts behind what happens to patients on some drugs."""
    from her2sim.biology.blood import blood_facts
    from her2sim.biology.heart import heart_facts
    from her2sim.biology.tumour_profile import tumour_facts
    from her2sim.drugs.mechanism import load_mechanism
    from her2sim.drugs.toxicity import load_toxicity
    from her2sim.protocol.label import load_label
    from her2sim.virtual_patient.assessment_facts import assessment_facts

    for treatment in treatments:
        drug = treatment.drug.id
        yield f"{drug} pharmacokinetics", treatment.pk
        yield f"{drug} regimens", treatment.drug
        yield f"{drug} mechanism", load_mechanism(drug)
        yield f"{drug} toxicity", load_toxicity(drug)
        yield f"{drug} label ({region})", load_label(drug, region)
    yield from (("tumour", tumour_facts()), ("heart", heart_facts()), ("blood", blood_facts()))
    yield "scans and tests", assessment_facts()


def trial_facts(trial: Trial) -> pl.DataFrame:
    """Sources of a trial, its drugs, the labels, and the models of tumour and organs."""
    from her2sim.biology.early_disease import early_facts
    from her2sim.pk.combination import load_combination
    from her2sim.trials.death import death_facts

    treatments = {
        treatment.drug.id: treatment
        for arm in trial.arm
        for given in arm.regimen
        for treatment in load_combination(given.name).treatments
    }
    models = patient_facts(treatments.values(), trial.region)
    early = () if trial.early is None else (("early disease", early_facts()),)
    return sources_frame([(trial.id, trial), *models, *early, ("death", death_facts())])


def cited(rows: list[tuple[str, str, str]]) -> pl.DataFrame:
    """Sources that an answer names itself."""
    import polars as pl

    columns = {"facts": pl.String, "key": pl.String, "source": pl.String}
    return pl.DataFrame(rows, schema=columns, orient="row").unique(maintain_order=True)
