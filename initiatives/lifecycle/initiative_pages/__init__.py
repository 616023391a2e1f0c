"""The initiative as people read it: overview, banners, activity, any day, wording of entries."""
