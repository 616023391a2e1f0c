"""Requirements at minimal risk, drawn by the worker after sealing."""
