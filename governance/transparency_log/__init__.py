"""The sealed record: Merkle tree, checkpoints, signing keys, time-stamps, any past day, verification."""
