"""One case: the frame of every act on it, registering, permissions, visibility, similar cases."""
