"""One patient backwards: from what was measured to this patient's numbers."""
