"""Who sees a case, who may do what on it, and how a request finds it."""
