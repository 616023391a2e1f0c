"""Acts on one initiative: their frame, the state of a review, the preview of an act; the frame of pages, similar
initiatives.
"""
