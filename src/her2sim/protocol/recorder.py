"""The recorder of a treatment while it runs: doses and decisions, one block of rows a visit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from her2sim.protocol.decisions import DecisionLog
from her2sim.regimens.dose_rows import Doses
from her2sim.regimens.dosing_record import DosingRecord

DOSES = (
    "patient", "drug", "day", "dose_mg", "duration_min", "level", "why", "route", "number",
    "every_day",
)  # fmt: skip
DECISIONS = ("patient", "drug", "day", "rule", "decision", "cause", "variable", "reading")
Block = dict[str, "NDArray[np.generic] | float"]
MEASURED = {"day", "dose_mg", "duration_min", "every_day", "reading"}


@dataclass
class _Columns:
    """Columns that grow by blocks; a single value stands for the whole block."""

    names: tuple[str, ...]
    blocks: list[tuple[int, Block]] = field(default_factory=list)

    def add(self, n: int, block: Block) -> None:
        if n:
            self.blocks.append((n, block))

    def columns(self) -> dict[str, NDArray[np.generic]]:
        ends = np.cumsum([0, *(n for n, _ in self.blocks)])
        found: dict[str, NDArray[np.generic]] = {}
        for name in self.names:
            kind = np.float64 if name in MEASURED else np.int64
            values = np.empty(int(ends[-1]), dtype=kind)
            for start, (n, block) in zip(ends, self.blocks, strict=False):
                values[start : start + n] = block[name]
            found[name] = values
        return found


@dataclass(frozen=True, eq=False)
class DoseBlock:
    """Doses of one drug (its position in the plan) that were given at one visit."""

    drug: int
    doses: Doses


class TreatmentRecorder:
    """Doses given and decisions taken so far."""

    def __init__(self) -> None:
        self._doses, self._decisions = _Columns(DOSES), _Columns(DECISIONS)

    def dose(self, patient: NDArray[np.int64], **values: NDArray[np.generic] | float) -> None:
        """Doses of a day: the columns of the record, for each patient or one value for all."""
        self._doses.add(patient.size, {"patient": patient, **values})

    def decide(self, patient: NDArray[np.int64], **values: NDArray[np.generic] | float) -> None:
        """Decisions of a day: the columns of the log, for each patient or one value for all."""
        self._decisions.add(patient.size, {"patient": patient, **values})

    def doses_since(self, number: int) -> Iterator[DoseBlock]:
        """Blocks of doses from a number on."""
        for n, block in self._doses.blocks[number:]:
            columns = {name: np.broadcast_to(np.asarray(v), n) for name, v in block.items()}
            real, whole = np.float64, np.int64
            doses = Doses(
                columns["patient"].astype(whole), columns["day"].astype(real),
                columns["dose_mg"].astype(real), columns["duration_min"].astype(real),
                columns["route"].astype(whole), columns["number"].astype(whole),
                columns["every_day"].astype(real),
            )  # fmt: skip
            yield DoseBlock(int(columns["drug"][0]), doses)

    def record(self) -> DosingRecord:
        """All doses."""
        return DosingRecord(**self._doses.columns())  # type: ignore[arg-type]

    def log(self, rules: tuple[str, ...], variables: tuple[tuple[str, ...], ...]) -> DecisionLog:
        """All decisions; ``rules`` are the ids that the rows count in, with their variables."""
        columns = self._decisions.columns()
        return DecisionLog(**columns, rules=rules, variables=variables)  # type: ignore[arg-type]
