"""Outputs drawn from the interaction log by the record's seed, and judged one by one: do they trace to sources?"""
