"""Early breast cancer: treatment around surgery, pathology, hidden spread, and what comes of it."""
