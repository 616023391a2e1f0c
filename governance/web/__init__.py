"""The shared parts of pages: middleware, admin site, help, style guide, routes."""
