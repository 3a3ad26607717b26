"""The one notice that every output of her2sim carries."""

NOTICE = (
    "Research and education only. Simulated output, not a medical device; not for diagnosis, "
    "treatment or dosing. Label text as of its stated date."
)
