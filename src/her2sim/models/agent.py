"""What acts on a lesion: kinds of drugs, and the epitopes that antibodies bind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Epitope = Literal["iv", "ii", "both"]
Kind = Literal[
    "antibody", "conjugate", "reversible", "covalent", "cytotoxic", "endocrine", "checkpoint"
]
KPD = ("cytotoxic", "endocrine", "checkpoint")
"""Kinds of drugs whose kill follows the doses given."""


@dataclass(frozen=True)
class Agent:
    """How a drug acts on a lesion; ``tag`` is its part of names."""

    tag: str
    kind: Kind
    epitope: Epitope | None = None
    is_permeable: bool = False
