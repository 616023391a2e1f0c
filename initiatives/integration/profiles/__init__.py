"""Data profiles and confirmed changes of data, as acts and pages."""
