"""What leaves the house with every export and must run without it: the standard library of Python and nothing else."""
