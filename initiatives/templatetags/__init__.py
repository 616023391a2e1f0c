"""Words for templates of imports."""
