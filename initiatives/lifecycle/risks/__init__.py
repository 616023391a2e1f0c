"""Risks accepted by the risk seat until a day, and the gaps after."""
