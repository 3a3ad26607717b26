"""Equations of medicine: components and the named structures made of them; no numbers in them."""
