"""Trials that were run, made visible: run, report, figures, page, score."""
