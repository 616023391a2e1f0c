"""Evaluations of models in an initiative: declared before, measured after."""
