"""The acts on a case as people read them: wording of entries, timeline, what changed since a visit."""
