"""Concentrations: a drug in a cohort, an event table, a dosing record, several drugs."""
