"""What the pathologist finds at surgery after neoadjuvant treatment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2sim.arrays import Array, Mask
from her2sim.biology.early_disease import EarlyTumours, early_number

HIGHEST = 30.0


@dataclass(frozen=True, eq=False)
class Pathology:
    """What was found in each patient, shape (n,).

    ``no_residue_breast`` and ``no_residue`` (breast and nodes) are complete responses; ``burden``
    is the class of residual burden, 0 (none) to 3.
    """

    no_residue_breast: Mask
    no_residue: Mask
    burden: Array


def examine(early: EarlyTumours, log_residual: Array) -> Pathology:
    """Pathology of patients whose primary tumour has ``log_residual`` cells left (logarithm).

    n cells are missed with the probability exp(-n / n_1). Nodes hold fewer cells, and their log
    kill differs from that of the breast.
    """
    limit = early.value("missed_log_cells")
    in_breast = _missed(log_residual, limit, early.uniform("breast specimen"))
    killed = np.maximum(early.log_primary - log_residual, 0.0)
    in_nodes = log_residual + early.value("nodes_log_cells") + early.nodes_differ * killed
    nodes_clear = ~early.has_nodes | _missed(in_nodes, limit, early.uniform("nodal specimen"))
    clear = in_breast & nodes_clear
    edges = [early_number(f"burden_{name}") for name in ("moderate", "extensive")]
    burden = 1 + np.searchsorted(edges, np.logaddexp(log_residual, in_nodes))
    return Pathology(in_breast, clear, np.where(clear, 0, burden))


def _missed(log_cells: Array, limit: Array, drawn: Array) -> Mask:
    chance = np.exp(-np.exp(np.minimum(log_cells - limit, HIGHEST)))
    found: Mask = drawn < chance
    return found
