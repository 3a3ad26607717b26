"""One patient with everything at once: levels of all drugs, the tumour, and what it costs."""
