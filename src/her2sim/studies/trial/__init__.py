"""A trial that was run: estimates beside published figures, score, power."""
