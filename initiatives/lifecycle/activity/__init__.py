"""The acts on an initiative as people read them: wording of entries, timeline, what changed since a visit."""
