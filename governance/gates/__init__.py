"""Pure rules of gates: is a requirement met, may a review be decided, who may sign."""
