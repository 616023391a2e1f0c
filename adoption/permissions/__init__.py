"""Who may do what with what came of the cases, a module a noun: answers that carry their reasons."""
