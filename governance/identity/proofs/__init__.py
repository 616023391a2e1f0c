"""Proofs of signatures: the frozen statement, its challenge, and what is kept."""
