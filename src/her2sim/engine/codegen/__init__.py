"""Code generation: traced equations become vector machine code."""
