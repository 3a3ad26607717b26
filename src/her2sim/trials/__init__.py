"""Many courses: arms, accrual, endpoints and statistics; published trials as data."""
