"""Attacks that once got through, each named after the letter of its finding; bounded, on the embedded database."""
