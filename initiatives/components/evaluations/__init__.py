"""Evaluations of models in a case: declared before, measured after."""
