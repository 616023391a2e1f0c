"""The canvas of pictures and its primitives."""
