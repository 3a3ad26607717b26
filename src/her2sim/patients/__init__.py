"""Who is treated: covariates, populations and cohorts."""
