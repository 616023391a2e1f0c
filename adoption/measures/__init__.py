"""Instruments, declared measures, evaluation, findings."""
