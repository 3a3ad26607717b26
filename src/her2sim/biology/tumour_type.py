"""Tumour types other than breast cancer: what differs from it, as data.

The lesion model has the numbers of HER2-positive breast cancer. A file of a tumour type replaces
some of them, or multiplies them (``times_NAME``). A type has a lesion model once trials of it were
fitted: its file says which evidence there is, and with ``none`` efficacy stays refused. What is
fitted stands beside it (``plan.toml``, :mod:`her2sim.calibration.plan`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from her2sim.arrays import Array
from her2sim.biology.ensemble import Members, member_value
from her2sim.facts import NumberFile, read_fact_file

Evidence = Literal["randomised", "single arm", "none"]
ALLOWED = (
    "times_growth", "times_new_lesions", "times_chemo", "times_own_growth", "heterogeneous",
    "times_low_odds", "lost_after_trastuzumab", "low_share_when_lost", "pd_l1_positive",
    "after_line_1", "after_line_2", "after_line_3", "after_per_decade",
)  # fmt: skip
"""Numbers that may differ between tumour types."""
OF_PAYLOAD = "times_payload_"
"""How numbers begin that are of the payload of one conjugate, by its tag."""


class TumourType(NumberFile):
    """A tumour type: its name in words, the kind of trials it was judged by, and its numbers.

    ``fitted`` says which drugs and endpoints its numbers were fitted to. Where HER2 is a
    ``mutation``, tumours are HER2-low ones without amplification unless that is told.
    """

    id: str
    title: str
    evidence: Evidence
    fitted: str = ""
    her2: Literal["score", "mutation"] = "score"

    @model_validator(mode="after")
    def _knows_its_numbers(self) -> TumourType:
        unknown = [
            name for name in sorted(set(self.parameter) - set(ALLOWED))
            if not name.startswith(OF_PAYLOAD)
        ]  # fmt: skip
        if unknown:
            raise ValueError(
                f"{', '.join(unknown)}: no number of a tumour type; known: {', '.join(ALLOWED)}, "
                f"{OF_PAYLOAD}DRUG"
            )
        return self

    @property
    def is_modelled(self) -> bool:
        """Whether efficacy is worked out in it."""
        return self.evidence != "none"


def tumour_type_file(type_id: str, name: str) -> Traversable:
    """A file of the folder of a tumour type."""
    return files("her2sim.biology").joinpath("tumour_types", type_id, name)


@cache
def described_types() -> Mapping[str, TumourType]:
    """All tumour types that have a folder, by id."""
    folder = files("her2sim.biology").joinpath("tumour_types")
    names = sorted(p.name for p in folder.iterdir() if p.joinpath("tumour_type.toml").is_file())
    found = [read_fact_file(tumour_type_file(n, "tumour_type.toml"), TumourType) for n in names]
    return {one.id: one for one in found}


def of_type(name: str, usual: Array, tumour_type: NDArray[np.str_], members: Members) -> Array:
    """A number of each patient: that of the tumour type where it has one, else the usual one.

    Parameters
    ----------
    name : as in the file of a type
    usual : what holds in breast cancer, shape (n,)
    tumour_type : of each patient, shape (n,)
    members : of each patient
    """
    found = usual
    for one in described_types().values():
        if name in one.parameter and (tumour_type == one.id).any():
            own = member_value(f"{one.id}:{name}", one.parameter[name], members)
            found = np.where(tumour_type == one.id, own, found)
    return found
