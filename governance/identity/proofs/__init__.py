"""Proofs of signatures: the statement frozen when it is shown, the challenge made of it, what is kept afterwards."""
