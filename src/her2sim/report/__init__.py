"""Courses made visible: tables, figures, comparisons with published numbers."""
