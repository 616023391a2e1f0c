"""Pages of an initiative: overview, banners, activity, any day, wording."""
