"""Insights over many initiatives: now, flow, money and people, with their lists."""
