"""Views: one function a page, one action a post."""
