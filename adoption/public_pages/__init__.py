"""The page and the badge that tell users of an AI its purpose, its stage and its limits, without signing in."""
