"""Rows of identity: who people are outside, by what they show it, and what directories keep of them."""
