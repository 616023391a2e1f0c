"""Rows by which initiatives are chosen among others: what their people say of money and dates."""
