"""The integration register: systems, definitions, residency, profiles, resilience."""
