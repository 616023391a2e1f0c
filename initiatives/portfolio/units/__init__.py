"""Units, boards and seats on pages of their own: the tree, moving and merging, who sits where, people leaving."""
