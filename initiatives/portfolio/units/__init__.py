"""Units, boards and seats: the tree, moving, merging, seat holders, and leaving."""
