"""Tumour types as data: one folder each."""
