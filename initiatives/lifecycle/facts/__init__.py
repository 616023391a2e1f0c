"""Rows of an initiative, read once, made into gate inputs and the supported stage."""
