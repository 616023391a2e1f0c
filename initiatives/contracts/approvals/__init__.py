"""Human approval of single calls."""
