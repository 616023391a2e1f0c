"""The sealed audit log: Merkle tree, checkpoints, signing keys, time-stamps, any past day, verification."""
