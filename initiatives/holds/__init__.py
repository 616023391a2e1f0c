"""Holds, debts, gaps, dependants."""
