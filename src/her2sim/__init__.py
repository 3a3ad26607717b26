"""her2sim: simulate HER2-targeted cancer therapy, from the HER2 test to survival."""

__version__ = "0.1.0"
