"""The walks in a real browser."""
