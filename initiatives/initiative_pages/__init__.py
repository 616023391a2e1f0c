"""The initiative as people read it: overview, banners, history, any day, wording of entries."""
