"""Blood counts: proliferation, maturation and feedback (Friberg et al. 2002), for any cell line.

Doi 10.1200/JCO.2002.02.140. Drugs slow proliferation in proportion to their concentration. Names of
a line end in its suffix: ``neutrophils`` or ``platelets``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from her2sim.engine.functions import maximum, positive, power
from her2sim.engine.model import Component, Part, Symbol
from her2sim.models.assembly import Assembled

TRANSITS = ("transit1", "transit2", "transit3")
STAGES = ("proliferating", *TRANSITS)
DOUBLINGS = 3
"""How sharply the hazard of fever sets in at its level of neutrophils: by the 2^3th power."""
FEWEST, SEED = 1e-3, 1e-6
"""Shares of the baseline: feedback is not stronger than at the first, and proliferating cells do
not fall below the second, so that the most sensitive marrow recovers too, and no count below zero.
"""


def stages_of(line: str) -> tuple[str, ...]:
    """States of a line, the counted cells last; all start at the baseline."""
    return (*(f"{stage}_{line}" for stage in STAGES), line)


def blood_line(line: str, tags: Sequence[str], lasting: Sequence[str] = ()) -> Component:
    """One cell line under the drugs that act on it.

    Under ``lasting`` drugs the count that feedback aims at drifts to a lower level.
    """
    states = stages_of(line)
    own = [f"{base}_{line}" for base in ("base", "maturation", "feedback")]
    pool, left, pace = (f"{base}_{line}" for base in ("pool", "pool_left", "pool_rate"))

    def cells(k: Any) -> Part:
        """A chain of maturation; low counts speed proliferation up."""
        base, maturation, feedback = (k[name] for name in own)
        rate = 4.0 / maturation
        kept: Any = 1.0
        for tag in tags:
            kept = kept - k[f"{line}_slope_{tag}"] * k[f"conc_{tag}"]
        first, *between, counted = (k[name] for name in states)
        aim = base * k[pool] if lasting else base
        aimed = power(aim / maximum(counted, FEWEST * base), feedback)
        seed, gain = SEED * base, kept * aimed - 1.0
        born = maximum(first, seed) * maximum(gain, 0.0)
        lost = maximum(first - seed, 0.0) * maximum(-gain, 0.0)
        rates = {states[0]: rate * (born - lost)}
        before = first
        for name, value in zip(states[1:-1], between, strict=True):
            rates[name] = rate * (before - value)
            before = value
        rates[line] = rate * (before - counted)
        for tag in lasting:
            conc = positive(k[f"conc_{tag}"])
            is_there = conc / (conc + k[f"switch_{tag}"])
            rates[pool] = k[pace] * is_there * (k[left] - k[pool])
        return Part(rates=rates, outputs={f"count_{line}": 1.0 * counted})

    return Assembled(f"{line} line", cells)


def febrile_neutropenia(neutrophils: Any, fever_rate: Any, fever_level: Any) -> Part:
    """Hazard of fever while there are hardly any neutrophils."""
    ratio = maximum(neutrophils, 0.0) / fever_level
    steep = ratio
    for _ in range(DOUBLINGS):
        steep = steep * steep
    return Part(rates={"febrile_neutropenia": fever_rate / (1.0 + steep)})


def blood_symbols(line: str, tags: Sequence[str]) -> dict[str, Symbol]:
    """Register entries of a cell line under some drugs."""
    entries = [
        Symbol(name, "state", "1", f"{name.replace('_', ' ')}, 1e9 cells a litre")
        for name in stages_of(line)
    ]
    entries += [
        Symbol(f"pool_{line}", "state", "1", "aimed count relative to the start"),
        Symbol(f"base_{line}", "parameter", "1", f"{line} at the start, 1e9 a litre"),
        Symbol(f"maturation_{line}", "parameter", "day", "mean maturation time"),
        Symbol(f"feedback_{line}", "parameter", "1", "exponent of the feedback"),
        Symbol(f"pool_rate_{line}", "parameter", "1/day", "how fast the pool sinks"),
        Symbol(f"pool_left_{line}", "parameter", "1", "where the pool sinks to"),
        Symbol(f"count_{line}", "output", "1", f"{line}, 1e9 a litre"),
    ]
    if line == "neutrophils":
        entries += [
            Symbol("febrile_neutropenia", "state", "1", "cumulative hazard of fever"),
            Symbol("fever_rate", "parameter", "1/day", "hazard of fever without neutrophils"),
            Symbol("fever_level", "parameter", "1", "neutrophils at half of it, 1e9 a litre"),
        ]
    for tag in tags:
        meaning = f"effect of {tag} on {line}"
        entries.append(Symbol(f"{line}_slope_{tag}", "parameter", "L/mg", meaning))
        entries.append(Symbol(f"switch_{tag}", "parameter", "mg/L", "level that counts as gone"))
    return {entry.name: entry for entry in entries}
