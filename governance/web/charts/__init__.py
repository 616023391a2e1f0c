"""What pictures are drawn from: one canvas and its primitives."""
