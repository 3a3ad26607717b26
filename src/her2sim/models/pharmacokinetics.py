"""Pharmacokinetic components: absorption, distribution, elimination and exposure.

Doses enter from outside: the engine adds infusion rates and bolus amounts to the state that the
route names.
"""

from __future__ import annotations

from typing import Any

from her2sim.engine.functions import positive
from her2sim.engine.model import Part


def central_concentration(central: Any, vc: Any) -> Part:
    """Concentration in the central compartment."""
    return Part(outputs={"conc": central / vc})


def single_concentration(central: Any, v: Any) -> Part:
    """Concentration in the only compartment."""
    return Part(outputs={"conc": central / v})


def linear_elimination(cl: Any, conc: Any) -> Part:
    """Elimination in proportion to concentration."""
    return Part(rates={"central": -cl * conc})


def michaelis_menten_elimination(vmax: Any, km: Any, conc: Any) -> Part:
    """Saturable elimination, as by binding to a limited target."""
    conc = positive(conc)
    return Part(rates={"central": -vmax * conc / (km + conc)})


def peripheral_exchange(q: Any, vp: Any, conc: Any, peripheral: Any) -> Part:
    """Exchange between the central and one peripheral compartment."""
    net = q * conc - q / vp * peripheral
    return Part(rates={"central": -net, "peripheral": net})


def second_peripheral_exchange(q2: Any, vp2: Any, conc: Any, peripheral2: Any) -> Part:
    """Exchange between the central and a second peripheral compartment."""
    net = q2 * conc - q2 / vp2 * peripheral2
    return Part(rates={"central": -net, "peripheral2": net})


def saturable_distribution(vmtr: Any, kmtr: Any, k21: Any, conc: Any, peripheral: Any) -> Part:
    """Saturable transport to the peripheral compartment, linear return."""
    conc = positive(conc)
    net = vmtr * conc / (kmtr + conc) - k21 * peripheral
    return Part(rates={"central": -net, "peripheral": net})


def first_order_absorption(ka: Any, depot: Any) -> Part:
    """Absorption from a depot in proportion to what is left there."""
    absorbed = ka * depot
    return Part(rates={"depot": -absorbed, "central": absorbed})


def area_under_curve(conc: Any) -> Part:
    """Cumulative area under the concentration."""
    return Part(rates={"auc": conc})


def payload_release(krel: Any, payload_fraction: Any, central: Any) -> Part:
    """Payload set free from the conjugate in plasma; the conjugate's own clearance covers it."""
    return Part(rates={"payload": payload_fraction * krel * central})


def payload_disposition(cl_payload: Any, v_payload: Any, payload: Any) -> Part:
    """Concentration and elimination of the payload, one compartment."""
    conc = payload / v_payload
    return Part(rates={"payload": -cl_payload * conc}, outputs={"conc_payload": conc})


def area_under_payload(conc_payload: Any) -> Part:
    """Cumulative area under the payload concentration."""
    return Part(rates={"auc_payload": conc_payload})


def payload_at_once(krel: Any, payload_fraction: Any, cl_payload: Any, central: Any) -> Part:
    """Concentration of the payload where elimination keeps up with release.

    It lives for hours, its release changes over days: what is released is what is eliminated.
    """
    return Part(outputs={"conc_payload": payload_fraction * krel * central / cl_payload})


def first_metabolite_formation(cl_dfcr: Any, conc: Any) -> Part:
    """The part of the parent's clearance that forms 5'-DFCR (in mass of the parent)."""
    formed = cl_dfcr * conc
    return Part(rates={"central": -formed, "dfcr": formed})


def metabolite_cascade(
    k_dfur: Any, k_fu: Any, k_fu_out: Any, dfcr: Any, dfur: Any, fu: Any
) -> Part:
    """5'-DFCR to 5'-DFUR to 5-FU, which is eliminated (in mass of the parent)."""
    to_dfur, to_fu = k_dfur * dfcr, k_fu * dfur
    return Part(rates={"dfcr": -to_dfur, "dfur": to_dfur - to_fu, "fu": to_fu - k_fu_out * fu})


def metabolite_concentrations(
    mass_dfcr: Any, mass_dfur: Any, mass_fu: Any, v_metabolite: Any, dfcr: Any, dfur: Any, fu: Any
) -> Part:
    """Concentrations of the metabolites, in their own mass."""
    return Part(
        outputs={
            "conc_dfcr": mass_dfcr * dfcr / v_metabolite,
            "conc_dfur": mass_dfur * dfur / v_metabolite,
            "conc_fu": mass_fu * fu / v_metabolite,
        }
    )


def areas_under_metabolites(conc_dfcr: Any, conc_dfur: Any, conc_fu: Any) -> Part:
    """Cumulative areas under the metabolite concentrations."""
    return Part(rates={"auc_dfcr": conc_dfcr, "auc_dfur": conc_dfur, "auc_fu": conc_fu})


def in_plasma(conc: Any, mass: Any) -> Part:
    """Molar concentration of a drug in plasma."""
    return Part(outputs={"plasma": conc / mass})


def payload_in_plasma(conc_payload: Any, payload_mass: Any) -> Part:
    """Molar concentration of a payload in plasma."""
    return Part(outputs={"plasma_payload": conc_payload / payload_mass})
