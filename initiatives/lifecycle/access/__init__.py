"""Who sees an initiative, who may do what on it, and how a request finds it."""
