"""Insights over many initiatives in four pages: now, flow, money, people; with the lists behind their figures."""
