"""The disease and the body in numbers: parameters, what is not known of them, patients."""
