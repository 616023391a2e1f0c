"""Questions and pairs with the answer beside them, and how well the finders do on them."""
