"""Many requirements of a gate in one form: those that the contract answers, and those that somebody answers in
words.
"""
