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
import math
import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from her2sim.engine.functions import exp, log, maximum, positive, power, sqrt
from her2sim.engine.model import Component, Part
from her2sim.models.agent import KPD, Agent, Epitope
from her2sim.models.assembly import Assembled

Values = Mapping[str, Any]
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
        return (*(self.name(f"log_cells_{c}") for c in self.clones), self.name("dying"))

    def components(self) -> tuple[Component, ...]:
        """All equations, as components that compose by name."""
        made = [self._cells(), self._inhibition(), self._receptors(), self._signalling()]
        made += [self._volume()]
        made += [self._immune_kill()] if self.binders else []
        made += [self._pool(epitope) for epitope in self.epitopes]
        made += [self._uptake(agent) for agent in self.binders]
        made += [self._reversible(agent) for agent in self.of_kind("reversible")]
        made += [self._covalent(agent) for agent in self.of_kind("covalent")]
        made += [self._payload(agent) for agent in self.of_kind("conjugate")]
        made += [self._fading(agent) for agent in self.of_kind(*KPD)]
        return (*made, self._growth(), self._elsewhere())

    def _cells(self) -> Component:
        """Cells of each clone."""
        n = self.name

        def cells(k: Values) -> Part:
            """Logarithms are integrated, so that there are never less than none."""
            return Part(outputs={n(f"cells_{c}"): exp(k[n(f"log_cells_{c}")]) for c in self.clones})

        return Assembled("cells", cells)

    # Receptors and antibodies.

    def _receptors(self) -> Component:
        """Receptors per cell on average, and their concentration in the tumour volume."""
        n = self.name

        def receptors(k: Values) -> Part:
            """Mean receptors of all cells; a kinase inhibitor may keep more at the surface."""
            everything = total(k[n(f"cells_{c}")] for c in self.clones)
            low = k[n("cells_l")]
            kept = 1.0 + k["stabilisation"] * (1.0 - k[n("kinase")])
            high = everything - low + NO_CELLS
            mean = (high * k["receptors_s"] + low * k["receptors_l"]) / (high + low)
            return Part(
                outputs={
                    n("kept"): kept,
                    n("receptors_mean"): mean,
                    n("receptors"): k["receptor_density"] * mean * kept,
                }
            )

        return Assembled("receptors", receptors)

    def _pool(self, epitope: Epitope) -> Component:
        """Antibodies that share an epitope: who binds shares it in proportion."""
        n = self.name
        tags = [a.tag for a in self.binders if a.epitope == epitope]
        amounts = [n("antibody", tag) for tag in tags]
        kd = f"kd_{epitope}"

        def pool(k: Values) -> Part:
            """Bound and free antibody at the quasi-steady state (root of the quadratic).

            What is bound also leaves with the receptor, so half-saturation is at KD + knet/kon.
            """
            everything = total(k[a] for a in amounts)
            sites, void = k[n("receptors")], k["void"]
            weak = void * (k[kd] + k["knet"] / k["kon"])
            distance = sites - everything
            root = sqrt(distance * distance + 2.0 * weak * (sites + everything) + weak * weak)
            share = 2.0 / (sites + everything + weak + root)
            outputs = {n(f"occupancy_{epitope}"): positive(everything) * share}
            for tag, amount in zip(tags, amounts, strict=True):
                of_receptors = positive(k[amount]) * share
                bound = of_receptors * sites
                outputs[n("bound_share", tag)] = of_receptors
                outputs[n("bound", tag)] = bound
                outputs[n("free", tag)] = (k[amount] - bound) / void
            return Part(outputs=outputs)

        return Assembled(f"pool_{epitope}", pool)

    def _uptake(self, agent: Agent) -> Component:
        """Antibody in the tumour: exchange with plasma, and loss with the receptor."""
        n, tag = self.name, agent.tag
        clipped = "clipping_" + tag

        def uptake(k: Values) -> Part:
            """Exchange through the vessel wall, internalisation, release outside the cell."""
            access = k[f"access_{self.site}"] if self.site else 1.0
            gained = k["kex"] * access * (k[f"plasma_{tag}"] - k[n("free", tag)])
            lost = k["knet"] * k[n("bound", tag)]
            if agent.is_permeable:
                lost = lost + k[clipped] * k["void"] * k[n("free", tag)]
            return Part(rates={n("antibody", tag): gained - lost})

        return Assembled("uptake", uptake)

    # Kinase and signalling.

    def _inhibition(self) -> Component:
        """Kinase activity that all inhibitors leave together."""
        n = self.name
        lefts = [n("activity", a.tag) for a in self.of_kind("reversible", "covalent")]

        def inhibition(k: Values) -> Part:
            """Shares that are left multiply: all act on one kinase."""
            return Part(outputs={n("kinase"): math.prod((k[name] for name in lefts), start=1.0)})

        return Assembled("inhibition", inhibition)

    def _unbound(self, agent: Agent, k: Values) -> Any:
        """Unbound concentration of an inhibitor at this site."""
        share = k[f"access_{agent.tag}_{self.site}"] if self.site else 1.0
        return k[f"unbound_{agent.tag}"] * share * k[f"plasma_{agent.tag}"]

    def _reversible(self, agent: Agent) -> Component:
        n, tag = self.name, agent.tag

        def reversible(k: Values) -> Part:
            """A reversible inhibitor: activity left at the unbound concentration."""
            ratio = maximum(self._unbound(agent, k) / k[f"ic50_{tag}"], 0.0)
            return Part(outputs={n("activity", tag): 1.0 / (1.0 + power(ratio, k["hill_kinase"]))})

        return Assembled("reversible", reversible)

    def _covalent(self, agent: Agent) -> Component:
        n, tag = self.name, agent.tag
        lost = n("inactivated", tag)

        def covalent(k: Values) -> Part:
            """A covalent inhibitor: kinase is lost until the receptor is made anew."""
            conc = positive(self._unbound(agent, k))
            rate = k[f"kinact_{tag}"] * conc / (k[f"ki_{tag}"] + conc)
            active = 1.0 - k[lost]
            change = rate * active - k["knet"] * k[lost]
            return Part(rates={lost: change}, outputs={n("activity", tag): active})

        return Assembled("covalent", covalent)

    def _blocked(self, k: Values) -> tuple[Any, Any, Any]:
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

        def signalling(k: Values) -> Part:
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

        return Assembled("signalling", signalling)

    # Kill.

    def _immune_kill(self) -> Component:
        """Antibody-dependent cytotoxicity by Fc parts on a cell."""
        n = self.name

        def immune_kill(k: Values) -> Part:
            """Affinity for the Fc receptor shifts the half-saturation, not the maximum."""
            left = self._blocked(k)[2]
            weighed = total(
                k[f"fc_affinity_{agent.tag}"] * k[n("bound_share", agent.tag)]
                for agent in self.binders
            )
            outputs = {}
            for clone in ("s", "l"):
                parts = weighed * left * k[n("kept")] * k[f"receptors_{clone}"]
                kill = k["adcc_max"] * k["effector_cells"] * parts / (k["adcc_half"] + parts)
                outputs[n(f"adcc_{clone}")] = kill
            return Part(outputs=outputs)

        return Assembled("immune_kill", immune_kill)

    def _payload(self, agent: Agent) -> Component:
        """Payload in the cells of each clone, and the kill by it."""
        n, tag = self.name, agent.tag
        own = ["dar", "kout", "kmax", "kc50", "hill", "sensitivity"]
        own += ["influx", "clipping", "kex_payload", "plasma_payload"] if agent.is_permeable else []

        def payload(k: Values) -> Part:
            """What is released in a cell leaves it; if permeable, it reaches the neighbours too."""
            p = {base: k[f"{base}_{tag}"] for base in own}
            inside = p["dar"] * k["knet"] * k[n("bound", tag)]
            a_receptor = inside / k[n("receptors_mean")] / k["cell_share"] / p["kout"]
            outputs = {}
            strength: Any = None
            for clone in ("s", "l"):
                conc = a_receptor * k[f"receptors_{clone}"]
                if agent.is_permeable:
                    released = inside + p["dar"] * p["clipping"] * k["void"] * k[n("free", tag)]
                    outside = released / p["kex_payload"] + p["plasma_payload"]
                    conc = conc + p["influx"] / p["kout"] * outside
                if strength is None or agent.is_permeable:
                    ratio = maximum(p["sensitivity"] * conc / p["kc50"], 0.0)
                    strength = power(ratio, p["hill"])
                else:  # as many times as there are receptors
                    strength = strength * power(k["receptors_l"] / k["receptors_s"], p["hill"])
                outputs[n(f"payload_{clone}", tag)] = conc
                outputs[n(f"kill_{clone}", tag)] = p["kmax"] * strength / (1.0 + strength)
            return Part(outputs=outputs)

        return Assembled("payload", payload)

    def _fading(self, agent: Agent) -> Component:
        """A cytotoxic or endocrine drug loses effect while it is given."""
        n, tag = self.name, agent.tag
        state = n("fading", tag)

        def fading(k: Values) -> Part:
            """Kill that is left of the first, in proportion to the doses really given."""
            change = -k[f"waning_{tag}"] * k[f"given_{tag}"] * k[state]
            return Part(rates={state: change})

        return Assembled("fading", fading)

    # Growth.

    def _volume(self) -> Component:
        """Living and dying cells, relative to the start, and the sum of diameters."""
        n = self.name

        def volume(k: Values) -> Part:
            """Diameters follow the cube root of the volume."""
            living = total(k[n(f"cells_{c}")] for c in self.clones)
            found = living + k[n("dying")]
            relative = exp(log(maximum(found, 1e-12)) / 3.0)
            outputs = {n("volume"): found, n("relative_mm"): relative}
            return Part(outputs={**outputs, n("diameters_mm"): k[n("baseline_mm")] * relative})

        return Assembled("volume", volume)

    def _growth(self) -> Component:
        """Growth and death of clones, and dying cells."""
        n = self.name

        def growth(k: Values) -> Part:
            """Each clone grows by what drives it and dies by all kills together (Bliss)."""
            room = 1.0 - log(maximum(k[n("volume")], 1e-12)) / k["log_largest"]
            fastest = k["growth"] * maximum(room, SLOWEST_GROWTH)
            drive = {"s": k[n("drive_s")], "l": k[n("drive_l")]}
            drive["m"] = 1.0 - k["resist_signal"] * (1.0 - drive["s"])
            death = {c: k["regression"] * (1.0 - drive[c]) for c in CLONES}
            for kill in self._kills(k):
                death = {c: rate + kill[c] for c, rate in death.items()}
            if self.has_escape:  # killed as the sensitive clone, but for what its signal spares
                drive["e"] = k[n("drive_e")]
                death["e"] = death["s"] + k["regression"] * (drive["s"] - drive["e"])
            numbers = {c: k[n(f"cells_{c}")] for c in self.clones}
            net = {c: fastest * drive[c] - death[c] for c in self.clones}
            rates = {n(f"log_cells_{c}"): net[c] for c in self.clones}
            lost = total(death[c] * number for c, number in numbers.items())
            rates[n("dying")] = lost - k["clearing"] * k[n("dying")]
            gain = total(net[c] * number for c, number in numbers.items())
            living = total(numbers.values())
            return Part(rates=rates, outputs={n("gain"): gain / (living + NO_CELLS)})

        return Assembled("growth", growth)

    def _kills(self, k: Values) -> Iterator[dict[str, Any]]:
        """Rates of death by each kind of kill, in the sensitive, HER2-low and resistant clone."""
        n = self.name
        if self.binders:
            of_s, of_l = k[n("adcc_s")], k[n("adcc_l")]
            yield {"s": of_s, "l": of_l, "m": k["resist_immune"] * of_s}
        for agent in self.of_kind(*KPD):
            tag = agent.tag
            kill = k[f"chemo_kill_{tag}"] * k[f"given_{tag}"] * k[n("fading", tag)]
            yield {"s": kill, "l": kill, "m": k[f"resist_{tag}"] * kill}
        for agent in self.of_kind("conjugate"):
            tag = agent.tag
            of_s, of_l = k[n("kill_s", tag)], k[n("kill_l", tag)]
            yield {"s": of_s, "l": of_l, "m": k[f"resist_{tag}"] * of_s}

    def _elsewhere(self) -> Component:
        """The hazard of progression outside target lesions."""
        n = self.name

        def elsewhere(k: Values) -> Part:
            """New lesions come as the tumour grows, in proportion to its volume.

            Growth is a mean over some weeks: a kill that peaks after each dose must not count as
            growth between the peaks.
            """
            change = (k[n("gain")] - k[n("mean_gain")]) / k["growth_memory"]
            faster = maximum(1.0 + k[n("mean_gain")] / k["growth_scale"], 0.0)
            hazard = k["new_lesions"] * faster * k[n("volume")]
            return Part(rates={n("mean_gain"): change, n("elsewhere"): hazard})

        return Assembled("elsewhere", elsewhere)


def total(terms: Iterable[Any]) -> Any:
    """The sum of some terms (at least one), which may have units."""
    return functools.reduce(operator.add, terms)
