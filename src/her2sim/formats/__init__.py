"""The edges: files in, files out."""
