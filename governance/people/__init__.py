"""Boards and their seats, what people may do, the cooling off of new seats."""
