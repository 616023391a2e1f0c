"""The verifiable export, which needs all three apps."""
