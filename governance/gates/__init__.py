"""Pure rules of gates: met requirements, decidable reviews, people who may sign."""
