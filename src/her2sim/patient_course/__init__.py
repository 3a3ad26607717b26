"""One patient: lines of treatment under the labels' rules, and what came of them."""
