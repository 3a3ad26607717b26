"""What the names of the lesion model mean: shared, of a site, of a drug, of a drug at a site."""

from __future__ import annotations

from collections.abc import Iterable

from her2sim.engine.model import Kind, Symbol
from her2sim.models.agent import Agent
from her2sim.models.lesion import Lesion

_Entry = tuple[Kind, str, str]

_SHARED: dict[str, _Entry] = {
    "kex": ("parameter", "1/day", "exchange of antibody between plasma and tumour"),
    "knet": ("parameter", "1/day", "net loss of surface HER2, with what is bound to it"),
    "void": ("parameter", "1", "share of the tumour volume that antibody reaches"),
    "cell_share": ("parameter", "1", "share of the tumour volume that is cells"),
    "receptor_density": ("parameter", "nmol/L", "receptors in the volume for one a cell"),
    "kd_iv": ("parameter", "nmol/L", "affinity of antibodies of domain IV"),
    "kd_ii": ("parameter", "nmol/L", "affinity of antibodies of domain II"),
    "kd_both": ("parameter", "nmol/L", "affinity of an antibody that binds both domains"),
    "kon": ("parameter", "L/nmol/day", "rate constant of binding"),
    "receptors_s": ("parameter", "1", "receptors a cell of the sensitive and resistant clone"),
    "receptors_l": ("parameter", "1", "receptors a cell of the clone with few"),
    "block_iv": ("parameter", "1", "ligand-independent signalling taken by a blocked domain IV"),
    "block_ii": ("parameter", "1", "ligand-driven signalling taken by a blocked domain II"),
    "cross_iv": ("parameter", "1", "ligand-driven signalling taken by a blocked domain IV"),
    "cross_ii": ("parameter", "1", "ligand-independent signalling taken by a blocked domain II"),
    "ligand_share": ("parameter", "1", "share of signalling that is ligand-driven"),
    "ligand_share_e": ("parameter", "1", "the same of the escape clone"),
    "clustering": ("parameter", "1", "loss of receptor in clusters of a biparatopic antibody"),
    "hill_kinase": ("parameter", "1", "steepness of reversible kinase inhibition"),
    "stabilisation": ("parameter", "1", "surface HER2 gained under full kinase inhibition"),
    "own_growth_s": ("parameter", "1", "growth of the sensitive clone that needs no HER2"),
    "own_growth_l": ("parameter", "1", "growth of the clone with few receptors without HER2"),
    "growth": ("parameter", "1/day", "rate of growth of a small tumour"),
    "log_largest": ("parameter", "1", "logarithm of the largest volume over the first"),
    "regression": ("parameter", "1/day", "death of addicted cells without any signal"),
    "clearing": ("parameter", "1/day", "clearance of dying cells"),
    "adcc_max": ("parameter", "1/day", "largest kill by effector cells"),
    "adcc_half": ("parameter", "1", "Fc parts a cell at half the largest kill"),
    "effector_cells": ("parameter", "1", "activity of effector cells"),
    "resist_immune": ("parameter", "1", "sensitivity of the resistant clone to effector cells"),
    "resist_signal": ("parameter", "1", "sensitivity of the resistant clone to loss of signal"),
    "new_lesions": ("parameter", "1/day", "hazard of progression elsewhere at no growth"),
    "growth_scale": ("parameter", "1/day", "growth rate that doubles that hazard"),
    "growth_memory": ("parameter", "day", "time over which growth is averaged for it"),
}
_OF_SITE: dict[str, _Entry] = {
    "log_cells_s": ("state", "1", "logarithm of the sensitive cells"),
    "log_cells_l": ("state", "1", "logarithm of the cells with few receptors"),
    "log_cells_m": ("state", "1", "logarithm of the resistant cells"),
    "log_cells_e": ("state", "1", "logarithm of the ligand-driven cells"),
    "dying": ("state", "1", "dying cells relative to the first volume"),
    "elsewhere": ("state", "1", "cumulative hazard of progression outside the target lesions"),
    "mean_gain": ("state", "1/day", "net growth of living cells, mean of some weeks"),
    "access": ("parameter", "1", "exchange of antibody at the site relative to elsewhere"),
    "baseline_mm": ("parameter", "mm", "sum of diameters at the start"),
    "cells_s": ("output", "1", "sensitive cells relative to the first volume"),
    "cells_l": ("output", "1", "cells with few receptors relative to the first volume"),
    "cells_m": ("output", "1", "resistant cells relative to the first volume"),
    "cells_e": ("output", "1", "ligand-driven cells relative to the first volume"),
    "kept": ("output", "1", "surface receptors relative to no kinase inhibition"),
    "receptors_mean": ("output", "1", "receptors a cell, mean of all cells"),
    "receptors": ("output", "nmol/L", "receptors in the tumour volume"),
    "occupancy_iv": ("output", "1", "share of domain IV that is bound"),
    "occupancy_ii": ("output", "1", "share of domain II that is bound"),
    "occupancy_both": ("output", "1", "share bound by a biparatopic antibody"),
    "kinase": ("output", "1", "kinase activity left"),
    "signal": ("output", "1", "HER2 signal left"),
    "drive_s": ("output", "1", "growth of the sensitive clone relative to no drug"),
    "drive_l": ("output", "1", "growth of the clone with few receptors relative to no drug"),
    "drive_e": ("output", "1", "growth of the escape clone relative to no drug"),
    "adcc_s": ("output", "1/day", "kill of the sensitive clone by effector cells"),
    "adcc_l": ("output", "1/day", "kill of the clone with few receptors by effector cells"),
    "volume": ("output", "1", "volume relative to the start"),
    "gain": ("output", "1/day", "net growth of living cells"),
    "relative_mm": ("output", "1", "sum of diameters over the first"),
    "diameters_mm": ("output", "mm", "sum of diameters"),
}
_OF_DRUG: dict[str, _Entry] = {
    "mass": ("parameter", "mg/nmol", "molar mass"),
    "payload_mass": ("parameter", "mg/nmol", "molar mass of the payload"),
    "plasma": ("output", "nmol/L", "concentration in plasma"),
    "plasma_payload": ("output", "nmol/L", "concentration of the payload in plasma"),
    "fc_affinity": ("parameter", "1", "affinity of the Fc part for the patient's FcgRIIIa"),
    "unbound": ("parameter", "1", "unbound share in plasma"),
    "ic50": ("parameter", "nmol/L", "unbound concentration at half the inhibition"),
    "kinact": ("parameter", "1/day", "largest rate of inactivation"),
    "ki": ("parameter", "nmol/L", "unbound concentration at half that rate"),
    "dar": ("parameter", "1", "payloads an antibody"),
    "kout": ("parameter", "1/day", "loss of payload from a cell"),
    "influx": ("parameter", "1/day", "entry of payload into a cell"),
    "clipping": ("parameter", "1/day", "release of payload outside the cells"),
    "kex_payload": ("parameter", "1/day", "exchange of payload between plasma and tumour"),
    "kmax": ("parameter", "1/day", "largest kill by the payload"),
    "kc50": ("parameter", "nmol/L", "payload in a cell at half the largest kill"),
    "hill": ("parameter", "1", "steepness of the kill"),
    "sensitivity": ("parameter", "1", "sensitivity of the patient's tumour to the payload"),
    "resist": ("parameter", "1", "sensitivity of the resistant clone"),
    "chemo_kill": ("parameter", "1/day", "kill while the full dose acts"),
    "given": ("parameter", "1", "dose that acts now over the planned dose"),
    "waning": ("parameter", "1/day", "loss of the effect while it is given"),
}
_OF_DRUG_AT_SITE: dict[str, _Entry] = {
    "antibody": ("state", "nmol/L", "antibody in the tumour volume, bound and free"),
    "bound": ("output", "nmol/L", "antibody bound to receptors, in the tumour volume"),
    "bound_share": ("output", "1", "antibody bound over receptors"),
    "free": ("output", "nmol/L", "antibody free in the space that it reaches"),
    "activity": ("output", "1", "kinase activity that this inhibitor leaves"),
    "inactivated": ("state", "1", "kinase that is inactivated"),
    "access": ("parameter", "1", "unbound concentration at the site over that in plasma"),
    "payload_s": ("output", "nmol/L", "payload in cells of the sensitive clone"),
    "payload_l": ("output", "nmol/L", "payload in cells of the clone with few receptors"),
    "kill_s": ("output", "1/day", "kill of the sensitive clone by the payload"),
    "kill_l": ("output", "1/day", "kill of the clone with few receptors by the payload"),
    "fading": ("state", "1", "effect left after what was given"),
}


def lesion_symbols(lesions: Iterable[Lesion], agents: Iterable[Agent]) -> dict[str, Symbol]:
    """Register entries for all names of some lesions, and of the drugs that are given."""
    found: dict[str, Symbol] = {}

    def add(name: str, entry: _Entry, of: str = "") -> None:
        kind, unit, meaning = entry
        found[name] = Symbol(name, kind, unit, f"{meaning}{of}")

    for base, entry in _SHARED.items():
        add(base, entry)
    for lesion in lesions:
        at = f" ({lesion.site})" if lesion.site else ""
        for base, entry in _OF_SITE.items():
            add(lesion.name(base), entry, at)
        for agent in lesion.agents:
            drug = agent.tag.replace("_", " ")
            for base, entry in _OF_DRUG_AT_SITE.items():
                add(lesion.name(base, agent.tag), entry, f", {drug}{at}")
    for agent in agents:
        drug = agent.tag.replace("_", " ")
        for base, entry in _OF_DRUG.items():
            add(f"{base}_{agent.tag}", entry, f", {drug}")
    return found
