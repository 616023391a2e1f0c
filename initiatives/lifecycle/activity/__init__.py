"""The acts on an initiative in words: wording, timeline, changes since a visit."""
