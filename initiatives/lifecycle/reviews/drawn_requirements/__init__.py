"""Requirements of an initiative of minimal risk drawn by the audit log's seed: by the worker, after each sealing."""
