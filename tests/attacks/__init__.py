"""Attacks that got through before, each refused or found now; named after the letters of docs/threats.md."""
