"""The description of an initiative: name, problem, tier, what is not similar."""
