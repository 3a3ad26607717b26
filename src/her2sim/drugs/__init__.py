"""What is known of each drug: a folder of facts with unit, source and status."""
