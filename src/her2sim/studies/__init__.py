"""Answers to questions: exposure, comparison, delay, shortage, population, trial."""
