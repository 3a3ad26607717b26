"""Fitting what the bench cannot tell to published trials."""
