"""Numbers: traced equations become machine code and integrated trajectories; knows no medicine."""
