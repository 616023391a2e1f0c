"""The sealed audit log: tree, checkpoints, keys, time-stamps, past days, checks."""
