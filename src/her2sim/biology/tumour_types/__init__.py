"""Tumour types as data: one file each."""
