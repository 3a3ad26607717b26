"""A whole patient: tumour, organs, adverse events and concentrations in one model."""
