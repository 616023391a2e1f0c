"""Imports of systems, read from tables and documents into the register."""
