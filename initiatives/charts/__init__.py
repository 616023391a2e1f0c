"""Charts as SVG: rectangles, words and scales, without a library."""
