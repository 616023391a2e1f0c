"""What samples of real data look like, by column and by month, and what changed between two. Pure: no database, no web.

Measuring runs as a process of its own (`python -m initiatives.integration.measurement`, docs/adr): a file that
bites hurts only that.
"""
