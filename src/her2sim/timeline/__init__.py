"""One patient through lines of treatment, and what came of it."""
