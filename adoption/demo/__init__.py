"""Cases that live through the real actions: for demonstrations, and for tests that need a case with a life."""
