"""Rows for the choice among initiatives: stated money and dates, and found models."""
