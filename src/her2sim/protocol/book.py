"""The book of a treatment while it runs: doses and decisions, one block of rows a visit."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from her2sim.protocol.ledger import DecisionLog, Ledger

Array = NDArray[np.float64]
DOSES = ("patient", "drug", "day", "dose_mg", "duration_min", "level", "why", "route")
DECISIONS = ("patient", "drug", "day", "rule", "decision", "cause", "reading")
MEASURED = {"day", "dose_mg", "duration_min", "reading"}


@dataclass
class _Columns:
    """Columns that grow by blocks; a single value stands for the whole block."""

    names: tuple[str, ...]
    blocks: list[tuple[Array, ...]] = field(default_factory=list)

    def add(self, n: int, values: dict[str, Array | float]) -> None:
        if n:
            self.blocks.append(
                tuple(np.full(n, values[name], dtype=np.float64) for name in self.names)
            )

    def columns(self) -> dict[str, NDArray[np.generic]]:
        found: dict[str, NDArray[np.generic]] = {}
        for position, name in enumerate(self.names):
            parts = [block[position] for block in self.blocks]
            values = np.concatenate(parts) if parts else np.empty(0)
            found[name] = values if name in MEASURED else values.astype(np.int64)
        return found


class TreatmentBook:
    """Doses given and decisions taken so far."""

    def __init__(self) -> None:
        self._doses, self._decisions = _Columns(DOSES), _Columns(DECISIONS)

    def dose(self, patient: NDArray[np.int64], **values: Array | float) -> None:
        """Doses of a day: the columns of the ledger, for each patient or one value for all."""
        self._doses.add(patient.size, {"patient": patient.astype(np.float64), **values})

    def decide(self, patient: NDArray[np.int64], **values: Array | float) -> None:
        """Decisions of a day: the columns of the log, for each patient or one value for all."""
        self._decisions.add(patient.size, {"patient": patient.astype(np.float64), **values})

    def ledger(self) -> Ledger:
        """All doses."""
        return Ledger(**self._doses.columns())  # type: ignore[arg-type]

    def log(self, rules: tuple[str, ...]) -> DecisionLog:
        """All decisions; ``rules`` are the ids that the rows count in."""
        return DecisionLog(**self._decisions.columns(), rules=rules)  # type: ignore[arg-type]
