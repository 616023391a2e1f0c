"""Work items and entry wording of adoption."""
