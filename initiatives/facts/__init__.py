"""Rows of a case, read once, made into gate inputs and the supported stage."""
