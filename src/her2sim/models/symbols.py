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
    Symbol("dfcr", "state", "mg", "5'-DFCR, as the mass of capecitabine that it came from"),
    Symbol("dfur", "state", "mg", "5'-DFUR, as the mass of capecitabine that it came from"),
    Symbol("fu", "state", "mg", "5-FU, as the mass of capecitabine that it came from"),
    Symbol("auc_dfcr", "state", "mg*day/L", "area under the 5'-DFCR concentration"),
    Symbol("auc_dfur", "state", "mg*day/L", "area under the 5'-DFUR concentration"),
    Symbol("auc_fu", "state", "mg*day/L", "area under the 5-FU concentration"),
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
    Symbol("cl_dfcr", "parameter", "L/day", "clearance by formation of 5'-DFCR"),
    Symbol("k_dfur", "parameter", "1/day", "rate constant from 5'-DFCR to 5'-DFUR"),
    Symbol("k_fu", "parameter", "1/day", "rate constant from 5'-DFUR to 5-FU"),
    Symbol("k_fu_out", "parameter", "1/day", "elimination rate constant of 5-FU"),
    Symbol("mass_dfcr", "parameter", "1", "molar mass of 5'-DFCR over that of capecitabine"),
    Symbol("mass_dfur", "parameter", "1", "molar mass of 5'-DFUR over that of capecitabine"),
    Symbol("mass_fu", "parameter", "1", "molar mass of 5-FU over that of capecitabine"),
    Symbol("v_metabolite", "parameter", "L", "volume of each metabolite"),
    Symbol("conc_dfcr", "output", "mg/L", "concentration of 5'-DFCR"),
    Symbol("conc_dfur", "output", "mg/L", "concentration of 5'-DFUR"),
    Symbol("conc_fu", "output", "mg/L", "concentration of 5-FU"),
    Symbol("conc_payload", "output", "mg/L", "concentration of the payload"),
    Symbol("conc", "output", "mg/L", "concentration in the central compartment"),
)

SYMBOLS = {entry.name: entry for entry in _ENTRIES}
