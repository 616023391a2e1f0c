"""Questions of a case of minimal risk drawn by the record's seed: by the worker, after each sealing."""
