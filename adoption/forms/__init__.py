"""The forms of adoption, a module a noun."""
