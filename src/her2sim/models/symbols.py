"""The register of names that equations may use: kind, unit and meaning of each."""

from __future__ import annotations

from her2sim.engine.model import Symbol

_ENTRIES = (
    Symbol("depot", "state", "mg", "amount at the site of absorption"),
    Symbol("central", "state", "mg", "amount in the central compartment"),
    Symbol("peripheral", "state", "mg", "amount in the peripheral compartment"),
    Symbol("peripheral2", "state", "mg", "amount in the second peripheral compartment"),
    Symbol("payload", "state", "mg", "amount of released payload in plasma"),
    Symbol("auc_payload", "state", "mg*day/L", "area under the payload concentration"),
    Symbol("auc", "state", "mg*day/L", "area under the concentration since the start"),
    Symbol("cl", "parameter", "L/day", "linear clearance"),
    Symbol("vc", "parameter", "L", "central volume"),
    Symbol("v", "parameter", "L", "volume of distribution of a one-compartment model"),
    Symbol("q", "parameter", "L/day", "intercompartmental clearance"),
    Symbol("vp", "parameter", "L", "peripheral volume"),
    Symbol("q2", "parameter", "L/day", "clearance to the second peripheral compartment"),
    Symbol("vp2", "parameter", "L", "second peripheral volume"),
    Symbol("vmax", "parameter", "mg/day", "maximum rate of saturable elimination"),
    Symbol("km", "parameter", "mg/L", "concentration at half the maximum rate"),
    Symbol("vmtr", "parameter", "mg/day", "maximum rate of saturable distribution"),
    Symbol("kmtr", "parameter", "mg/L", "concentration at half the rate of distribution"),
    Symbol("k21", "parameter", "1/day", "rate constant of return to the central compartment"),
    Symbol("ka", "parameter", "1/day", "first-order absorption rate constant"),
    Symbol("krel", "parameter", "1/day", "rate constant of payload release from the conjugate"),
    Symbol("payload_fraction", "parameter", "1", "mass of payload in the mass of conjugate"),
    Symbol("cl_payload", "parameter", "L/day", "clearance of the payload"),
    Symbol("v_payload", "parameter", "L", "volume of the payload"),
    Symbol("conc_payload", "output", "mg/L", "concentration of the payload"),
    Symbol("conc", "output", "mg/L", "concentration in the central compartment"),
)

SYMBOLS = {entry.name: entry for entry in _ENTRIES}
