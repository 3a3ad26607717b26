"""Whose lesions have a model of their own, and what is said of the others.

Metastatic breast cancer is followed on scans, and so are tumour types whose trials were fitted
(:mod:`her2sim.biology.tumour_type`); early breast cancer in absolute cells that nobody sees
(:mod:`her2sim.early`). Others have no model yet: heart, blood, adverse events and doses run in
everybody, efficacy only where this module says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from her2sim.biology.tumour_type import described_types

MODELLED = ("breast", "metastatic")
"""Tumour type and setting whose lesions are modelled with numbers of their own."""
MUTANT = "HER2-mutant"
DISEASES = {
    "breast": "metastatic breast cancer",
    "other": "tumours other than breast, gastric, biliary, colorectal and lung",
    "none": "people without a tumour",
}
"""Tumour types in words, where no file tells them."""


def modelled_types() -> tuple[str, ...]:
    """Tumour types with a lesion model: breast, and those whose trials were fitted."""
    return (MODELLED[0], *(one.id for one in described_types().values() if one.is_modelled))


def has_lesion_model(tumour_type: NDArray[np.str_], setting: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Which patients have a modelled lesion: metastatic disease of a modelled type, shape (n,)."""
    found: NDArray[np.bool_] = np.isin(tumour_type, modelled_types()) & (setting == MODELLED[1])
    return found


def is_early_breast(tumour_type: str, setting: str) -> bool:
    """Whether cure and relapse are worked out: in early breast cancer."""
    return (tumour_type, setting) == (MODELLED[0], "early")


def disease_of(tumour_type: str, setting: str) -> str:
    """The disease of a patient in words, as far as it decides on a model."""
    if tumour_type == MODELLED[0] and setting == "early":
        return "early disease"
    if tumour_type in described_types():
        return described_types()[tumour_type].title
    return DISEASES.get(tumour_type, DISEASES["other"])


def evidence_text(tumour_type: str, setting: str) -> str:
    """What the predictions of a tumour type rest on; empty for breast cancer and without a tumour.

    It stands first in a report.
    """
    if tumour_type in (MODELLED[0], "none"):
        return ""
    one, disease = described_types().get(tumour_type), disease_of(tumour_type, setting)
    if one is None or not one.is_modelled or setting != MODELLED[1]:
        return f"Evidence in {disease}: none that was fitted; efficacy is not worked out."
    mutated = ""
    if one.her2 == "mutation":
        mutated = f" Tumours are {MUTANT}, as HER2-low ones, unless amplification is told."
    return (
        f"Evidence in {disease}: {one.evidence} trials. Fitted: {one.fitted}; other drugs and "
        f"endpoints are extrapolated from breast cancer.{mutated}"
    )


def evidence_texts(tumour_type: NDArray[np.str_], setting: NDArray[np.str_]) -> tuple[str, ...]:
    """What predictions for some patients rest on, once for each tumour type that says so."""
    pairs = dict.fromkeys(zip(tumour_type.tolist(), setting.tolist(), strict=True))
    return tuple(text for text in (evidence_text(*pair) for pair in pairs) if text)


def no_model_text(what: str, tumour_type: str, setting: str) -> str:
    """That something has no model in a disease: ``PFS in gastric cancer: no model yet``."""
    disease = disease_of(tumour_type, setting)
    if is_early_breast(tumour_type, setting):
        return f"{what} in {disease}: no lesion is followed on scans"
    return f"{what} in {disease}: no model yet"


def diseases(tumour_type: NDArray[np.str_], setting: NDArray[np.str_]) -> Counter[str]:
    """How many patients have which disease."""
    pairs = zip(tumour_type.tolist(), setting.tolist(), strict=True)
    return Counter(disease_of(*pair) for pair in pairs)


def efficacy_notes(n_patients: Mapping[str, int]) -> tuple[str, ...]:
    """What a report says of patients without a lesion model; nothing if there are none.

    ``n_patients`` by disease, as :func:`diseases` counts them.
    """
    early = disease_of(MODELLED[0], "early")
    modelled = {disease_of(one, MODELLED[1]) for one in modelled_types()} & set(n_patients)
    without = {n: k for n, k in n_patients.items() if n not in modelled | {early} and k}
    found = list(_notes_without(n_patients, without, sorted(modelled)))
    if n_patients.get(early):
        found.append(
            f"efficacy in {early}: cure and relapse are worked out by her2sim population, course "
            "and trial run"
        )
    return tuple(found)


def _notes_without(
    n_patients: Mapping[str, int], without: Mapping[str, int], modelled: Sequence[str]
) -> Iterator[str]:
    """What is said of tumours without a model."""
    if not without:
        return
    if not any(n_patients[name] for name in modelled):
        yield f"efficacy in {' and '.join(without)}: no model yet"
        return
    of = " and ".join(f"{n_patients[name]} patients with {name}" for name in modelled)
    listed = " and ".join(f"{n} with {name}" for name, n in without.items())
    yield f"efficacy is that of {of}; {listed} are left out of it: no model yet"
