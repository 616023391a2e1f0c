"""Tables that come in: bytes to rows within bounds, the right letters, columns by their headers, dates and numbers.

Below everything that reads one, so that people (governance), inventories, efforts, system imports, profiles and traces
(initiatives) and measurements (adoption) share one reader. What the fields of a table mean stays with each of them.
"""
