"""The shared parts of pages: middleware, admin site, help, routes."""
