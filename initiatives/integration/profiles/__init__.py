"""Samples of data and drift, as acts and pages."""
