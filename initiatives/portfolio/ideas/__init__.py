"""Ideas that wait for a board, side by side."""
