"""What every page shares: middleware, the admin site, help, the style guide, routes."""
