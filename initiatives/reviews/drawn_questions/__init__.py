"""Questions of an initiative of minimal risk drawn by the record's seed: by the worker, after each sealing."""
