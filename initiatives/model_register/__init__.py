"""The model register: models as vendors offer them, their end of life, which cases run them."""
