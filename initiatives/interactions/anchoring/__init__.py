"""Outputs drawn from the interaction log by the audit log's seed, and judged one by one: do they trace to sources?"""
