"""Figures that take minutes: measured by hand or by the clock of the house, never by the suite."""
