"""What is planned: doses, regimens and event tables."""
