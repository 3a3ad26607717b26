"""A tumour lesion: antibody in it, bound epitopes, signalling, payload, kill, clones and size.

The lesion is one well-mixed volume with three clones: ``s`` (sensitive, the receptors of the
patient), ``l`` (few receptors, not addicted) and ``m`` (the receptors of the patient, not addicted
and less sensitive to every kill). Cell numbers are relative to the volume at the start. What is
over in minutes or hours (binding, signalling, exchange of payload) is algebraic; what takes days
is integrated. Any drug, and any mechanism, can be left out.

A second site has names with a suffix, and its own access for each drug.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from her2sim.engine.functions import exp, log, maximum, power, sqrt
from her2sim.engine.model import Component, Part
from her2sim.models.agent import BY_DOSE, Agent, Epitope
from her2sim.models.assembly import Assembled

Known = Mapping[str, Any]
CLONES = ("s", "l", "m")
ESCAPE = "e"
"""A fourth clone that can be added: as the sensitive one, but its signalling is ligand-driven."""
NO_CELLS = 1e-12
"""Cells relative to the first volume below which nothing is left to take a mean of."""
SLOWEST_GROWTH = 0.2
"""Share of the exponential growth rate that is left however large the tumour is."""


@dataclass(frozen=True)
class Lesion:
    """The equations of one lesion under some agents.

    ``site`` is the suffix of its names (empty for the disease outside the brain); with
    ``has_escape`` there is a fourth clone.
    """

    agents: tuple[Agent, ...]
    site: str = ""
    has_escape: bool = False

    def name(self, base: str, tag: str = "") -> str:
        """Name of a symbol of this lesion, of a drug in it if a tag is given."""
        return "_".join(part for part in (base, tag, self.site) if part)

    def of_kind(self, *kinds: str) -> tuple[Agent, ...]:
        """Agents of some kinds."""
        return tuple(agent for agent in self.agents if agent.kind in kinds)

    @cached_property
    def binders(self) -> tuple[Agent, ...]:
        """Antibodies and conjugates."""
        return self.of_kind("antibody", "conjugate")

    @cached_property
    def epitopes(self) -> tuple[Epitope, ...]:
        """Epitopes that any of them binds."""
        return tuple(dict.fromkeys(a.epitope for a in self.binders if a.epitope is not None))

    @property
    def clones(self) -> tuple[str, ...]:
        """Clones that there are."""
        return (*CLONES, ESCAPE) if self.has_escape else CLONES

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the states that are there from the start: clones and dying cells."""
        return (*(self.name(f"cells_{c}") for c in self.clones), self.name("dying"))

    def components(self) -> tuple[Component, ...]:
        """All equations, as components that compose by name."""
        made = [self._inhibition(), self._receptors(), self._signalling(), self._immune_kill()]
        made += [self._pool(epitope) for epitope in self.epitopes]
        made += [self._uptake(agent) for agent in self.binders]
        made += [self._reversible(agent) for agent in self.of_kind("reversible")]
        made += [self._covalent(agent) for agent in self.of_kind("covalent")]
        made += [self._payload(agent) for agent in self.of_kind("conjugate")]
        made += [self._fading(agent) for agent in self.of_kind(*BY_DOSE)]
        return (*made, self._growth(), self._size())

    # Receptors and antibodies.

    def _receptors(self) -> Component:
        """Receptors per cell on average, and their concentration in the tumour volume."""
        n = self.name
        cells = [n(f"cells_{c}") for c in self.clones]

        def receptors(k: Known) -> Part:
            """Mean receptors of all cells; a kinase inhibitor may keep more at the surface."""
            total = functools.reduce(operator.add, (k[c] for c in cells))
            low = k[n("cells_l")]
            kept = 1.0 + k["stabilisation"] * (1.0 - k[n("kinase")])
            high = total - low + NO_CELLS
            mean = (high * k["receptors_s"] + low * k["receptors_l"]) / (high + low)
            return Part(
                outputs={
                    n("kept"): kept,
                    n("receptors_mean"): mean,
                    n("receptors"): k["receptor_density"] * mean * kept,
                }
            )

        names = [*cells, "receptors_s", "receptors_l", "receptor_density", "stabilisation"]
        return Assembled("receptors", [*names, n("kinase")], receptors)

    def _pool(self, epitope: Epitope) -> Component:
        """Antibodies that share an epitope: who binds shares it in proportion."""
        n = self.name
        tags = [a.tag for a in self.binders if a.epitope == epitope]
        amounts = [n("antibody", tag) for tag in tags]
        kd = f"kd_{epitope}"

        def pool(k: Known) -> Part:
            """Bound and free antibody at the quasi-steady state (root of the quadratic).

            What is bound also leaves with the receptor, so half-saturation is at KD + knet/kon.
            """
            total = functools.reduce(operator.add, (k[a] for a in amounts))
            sites, void = k[n("receptors")], k["void"]
            weak = void * (k[kd] + k["knet"] / k["kon"])
            distance = sites - total
            root = sqrt(distance * distance + 2.0 * weak * (sites + total) + weak * weak)
            share = 2.0 / (sites + total + weak + root)
            outputs = {n(f"occupancy_{epitope}"): total * share}
            for tag, amount in zip(tags, amounts, strict=True):
                bound = k[amount] * sites * share
                outputs[n("bound", tag)] = bound
                outputs[n("free", tag)] = (k[amount] - bound) / void
            return Part(outputs=outputs)

        return Assembled(
            f"pool_{epitope}", [*amounts, n("receptors"), "void", kd, "knet", "kon"], pool
        )

    def _uptake(self, agent: Agent) -> Component:
        """Antibody in the tumour: exchange with plasma, and loss with the receptor."""
        n, tag = self.name, agent.tag
        clipped = "clipping_" + tag
        names = [f"plasma_{tag}", "kex", "knet", n("bound", tag), n("free", tag), "void"]
        names += [f"access_{self.site}"] if self.site else []
        names += [clipped] if agent.is_permeable else []

        def uptake(k: Known) -> Part:
            """Exchange through the vessel wall, internalisation, release outside the cell."""
            access = k[f"access_{self.site}"] if self.site else 1.0
            gained = k["kex"] * access * (k[f"plasma_{tag}"] - k[n("free", tag)])
            lost = k["knet"] * k[n("bound", tag)]
            if agent.is_permeable:
                lost = lost + k[clipped] * k["void"] * k[n("free", tag)]
            return Part(rates={n("antibody", tag): gained - lost})

        return Assembled("uptake", names, uptake)

    # Kinase and signalling.

    def _inhibition(self) -> Component:
        """Kinase activity that all inhibitors leave together."""
        n = self.name
        lefts = [n("activity", a.tag) for a in self.of_kind("reversible", "covalent")]

        def inhibition(k: Known) -> Part:
            """Shares that are left multiply: all act on one kinase."""
            left: Any = 1.0 + 0.0 * k["stabilisation"]
            for name in lefts:
                left = left * k[name]
            return Part(outputs={n("kinase"): left})

        return Assembled("inhibition", [*lefts, "stabilisation"], inhibition)

    def _unbound(self, agent: Agent, k: Known) -> Any:
        """Unbound concentration of an inhibitor at this site."""
        share = k[f"access_{agent.tag}_{self.site}"] if self.site else 1.0
        return k[f"unbound_{agent.tag}"] * share * k[f"plasma_{agent.tag}"]

    def _inhibitor_names(self, agent: Agent) -> list[str]:
        names = [f"plasma_{agent.tag}", f"unbound_{agent.tag}"]
        return [*names, f"access_{agent.tag}_{self.site}"] if self.site else names

    def _reversible(self, agent: Agent) -> Component:
        n, tag = self.name, agent.tag
        names = [*self._inhibitor_names(agent), f"ic50_{tag}", "hill_kinase"]

        def reversible(k: Known) -> Part:
            """A reversible inhibitor: activity left at the unbound concentration."""
            ratio = maximum(self._unbound(agent, k) / k[f"ic50_{tag}"], 0.0)
            return Part(outputs={n("activity", tag): 1.0 / (1.0 + power(ratio, k["hill_kinase"]))})

        return Assembled("reversible", names, reversible)

    def _covalent(self, agent: Agent) -> Component:
        n, tag = self.name, agent.tag
        lost = n("inactivated", tag)
        names = [*self._inhibitor_names(agent), f"kinact_{tag}", f"ki_{tag}", "knet", lost]

        def covalent(k: Known) -> Part:
            """A covalent inhibitor: kinase is lost until the receptor is made anew."""
            conc = self._unbound(agent, k)
            rate = k[f"kinact_{tag}"] * conc / (k[f"ki_{tag}"] + conc)
            active = 1.0 - k[lost]
            change = rate * active - k["knet"] * k[lost]
            return Part(rates={lost: change}, outputs={n("activity", tag): active})

        return Assembled("covalent", names, covalent)

    def _blocked(self, k: Known) -> tuple[Any, Any, Any]:
        """Blocked shares of domain IV and domain II, and what a cluster leaves of the receptor."""
        n = self.name
        at = {
            e: k[n(f"occupancy_{e}")] if e in self.epitopes else 0.0 for e in ("iv", "ii", "both")
        }
        four = 1.0 - (1.0 - at["iv"]) * (1.0 - at["both"])
        two = 1.0 - (1.0 - at["ii"]) * (1.0 - at["both"])
        left = 1.0 / (1.0 + k["clustering"] * at["both"])
        return four, two, left

    def _signalling(self) -> Component:
        n = self.name
        occupancies = [n(f"occupancy_{e}") for e in self.epitopes]
        names = [*occupancies, n("kinase"), "clustering", "ligand_share", "own_growth_s"]
        names += ["own_growth_l", "block_iv", "block_ii", "cross_iv", "cross_ii"]
        names += ["ligand_share_e"] if self.has_escape else []

        def signalling(k: Known) -> Part:
            """Signal left, and what growth is driven by, in each clone (1 without a drug)."""
            four, two, left = self._blocked(k)
            alone = (1.0 - k["block_iv"] * four) * (1.0 - k["cross_ii"] * two)
            driven = (1.0 - k["cross_iv"] * four) * (1.0 - k["block_ii"] * two)
            share = k["ligand_share"]
            signal = left * ((1.0 - share) * alone + share * driven) * k[n("kinase")]
            outputs = {n("signal"): signal}
            for clone in ("s", "l"):
                own = k[f"own_growth_{clone}"]
                outputs[n(f"drive_{clone}")] = own + (1.0 - own) * signal
            if self.has_escape:
                share, own = k["ligand_share_e"], k["own_growth_s"]
                escaped = left * ((1.0 - share) * alone + share * driven) * k[n("kinase")]
                outputs[n("drive_e")] = own + (1.0 - own) * escaped
            return Part(outputs=outputs)

        return Assembled("signalling", names, signalling)

    # Kill.

    def _immune_kill(self) -> Component:
        """Antibody-dependent cytotoxicity by Fc parts on a cell."""
        n = self.name
        names = ["clustering", "adcc_max", "adcc_half", "effector_cells", "receptors_s"]
        names += ["receptors_l", n("kept"), n("receptors")]
        names += [n(f"occupancy_{e}") for e in self.epitopes]
        names += [n("bound", a.tag) for a in self.binders]
        names += [f"fc_affinity_{a.tag}" for a in self.binders]

        def immune_kill(k: Known) -> Part:
            """Affinity for the Fc receptor shifts the half-saturation, not the maximum."""
            left = self._blocked(k)[2]
            weighed: Any = 0.0 * k["effector_cells"]
            for agent in self.binders:
                of_sites = k[n("bound", agent.tag)] / k[n("receptors")]
                weighed = weighed + k[f"fc_affinity_{agent.tag}"] * of_sites
            outputs = {}
            for clone in ("s", "l"):
                parts = weighed * left * k[n("kept")] * k[f"receptors_{clone}"]
                kill = k["adcc_max"] * k["effector_cells"] * parts / (k["adcc_half"] + parts)
                outputs[n(f"adcc_{clone}")] = kill
            return Part(outputs=outputs)

        return Assembled("immune_kill", names, immune_kill)

    def _payload(self, agent: Agent) -> Component:
        """Payload in the cells of each clone, and the kill by it."""
        n, tag = self.name, agent.tag
        own = ["dar", "kout", "kmax", "kc50", "hill", "sensitivity"]
        own += ["influx", "clipping", "kex_payload", "plasma_payload"] if agent.is_permeable else []
        names = [f"{base}_{tag}" for base in own]
        names += [n("bound", tag), n("free", tag), n("receptors_mean"), "knet", "cell_share"]
        names += ["void", "receptors_s", "receptors_l"]

        def payload(k: Known) -> Part:
            """What is released in a cell leaves it; if permeable, it reaches the neighbours too."""
            p = {base: k[f"{base}_{tag}"] for base in own}
            inside = p["dar"] * k["knet"] * k[n("bound", tag)]
            outputs = {}
            for clone in ("s", "l"):
                relative = k[f"receptors_{clone}"] / k[n("receptors_mean")]
                conc = inside * relative / k["cell_share"] / p["kout"]
                if agent.is_permeable:
                    released = inside + p["dar"] * p["clipping"] * k["void"] * k[n("free", tag)]
                    outside = released / p["kex_payload"] + p["plasma_payload"]
                    conc = conc + p["influx"] / p["kout"] * outside
                ratio = maximum(p["sensitivity"] * conc / p["kc50"], 0.0)
                strength = power(ratio, p["hill"])
                outputs[n(f"payload_{clone}", tag)] = conc
                outputs[n(f"kill_{clone}", tag)] = p["kmax"] * strength / (1.0 + strength)
            return Part(outputs=outputs)

        return Assembled("payload", names, payload)

    def _fading(self, agent: Agent) -> Component:
        """A cytotoxic or endocrine drug loses effect while it is given."""
        n, tag = self.name, agent.tag
        state = n("fading", tag)
        names = [state, f"waning_{tag}", f"given_{tag}"]

        def fading(k: Known) -> Part:
            """Kill that is left of the first, in proportion to the doses really given."""
            change = -k[f"waning_{tag}"] * k[f"given_{tag}"] * k[state]
            return Part(rates={state: change})

        return Assembled("fading", names, fading)

    # Growth.

    def _growth(self) -> Component:
        """Growth and death of clones, and dying cells."""
        n = self.name
        cells = [n(f"cells_{c}") for c in self.clones]
        by_dose, conjugates = self.of_kind(*BY_DOSE), self.of_kind("conjugate")
        names = [*cells, n("dying"), "growth", "log_largest", "regression", "clearing"]
        names += [n("drive_s"), n("drive_l"), n("adcc_s"), n("adcc_l"), "resist_immune"]
        names += ["resist_signal"]
        names += [n("drive_e")] if self.has_escape else []
        for agent in by_dose:
            names += [f"{base}_{agent.tag}" for base in ("chemo_kill", "given", "resist")]
            names += [n("fading", agent.tag)]
        for agent in conjugates:
            names += [n("kill_s", agent.tag), n("kill_l", agent.tag), f"resist_{agent.tag}"]

        def growth(k: Known) -> Part:
            """Each clone grows by what drives it and dies by all kills together (Bliss)."""
            numbers = [k[c] for c in cells]
            living = functools.reduce(operator.add, numbers)
            volume = living + k[n("dying")]
            room = 1.0 - log(maximum(volume, 1e-12)) / k["log_largest"]
            fastest = k["growth"] * maximum(room, SLOWEST_GROWTH)
            drive = {"s": k[n("drive_s")], "l": k[n("drive_l")]}
            drive["m"] = 1.0 - k["resist_signal"] * (1.0 - drive["s"])
            death = {c: k["regression"] * (1.0 - drive[c]) for c in ("s", "l", "m")}
            death["s"] = death["s"] + k[n("adcc_s")]
            death["l"] = death["l"] + k[n("adcc_l")]
            death["m"] = death["m"] + k["resist_immune"] * k[n("adcc_s")]
            for agent in by_dose:
                tag = agent.tag
                kill = k[f"chemo_kill_{tag}"] * k[f"given_{tag}"] * k[n("fading", tag)]
                for clone in ("s", "l"):
                    death[clone] = death[clone] + kill
                death["m"] = death["m"] + k[f"resist_{tag}"] * kill
            for agent in conjugates:
                tag = agent.tag
                for clone in ("s", "l"):
                    death[clone] = death[clone] + k[n(f"kill_{clone}", tag)]
                death["m"] = death["m"] + k[f"resist_{tag}"] * k[n("kill_s", tag)]
            if self.has_escape:  # killed as the sensitive clone, but for what its signal spares
                drive["e"] = k[n("drive_e")]
                death["e"] = death["s"] + k["regression"] * (drive["s"] - drive["e"])
            nothing = 0.0 * k["clearing"] * living
            rates, dead, gain = {}, nothing, nothing
            for clone, number in zip(self.clones, numbers, strict=True):
                born = fastest * drive[clone] * number
                lost = death[clone] * number
                rates[n(f"cells_{clone}")] = born - lost
                dead, gain = dead + lost, gain + born - lost
            rates[n("dying")] = dead - k["clearing"] * k[n("dying")]
            return Part(
                rates=rates, outputs={n("volume"): volume, n("gain"): gain / (living + NO_CELLS)}
            )

        return Assembled("growth", names, growth)

    def _size(self) -> Component:
        """Sum of diameters, and the hazard of progression elsewhere."""
        n = self.name
        names = [n("volume"), n("gain"), n("baseline_mm"), "new_lesions", "growth_scale"]

        def size(k: Known) -> Part:
            """Diameters follow the cube root of the volume; new lesions come as it grows."""
            relative = exp(log(maximum(k[n("volume")], 1e-12)) / 3.0)
            faster = maximum(1.0 + k[n("gain")] / k["growth_scale"], 0.0)
            hazard = k["new_lesions"] * faster * relative
            return Part(
                rates={n("elsewhere"): hazard},
                outputs={n("diameters_mm"): k[n("baseline_mm")] * relative},
            )

        return Assembled("size", names, size)
