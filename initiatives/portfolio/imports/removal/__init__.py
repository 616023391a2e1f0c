"""Files thrown away before anything of them is live, and imports undone while nobody works on what they brought."""
