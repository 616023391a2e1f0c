"""Tables from outside: decoded, parsed within bounds, and mapped to columns.

All packages that read a table share this reader: people (governance), inventories, efforts, systems, profiles
and traces (initiatives) and measurements (adoption). Each of them defines the meaning of its fields.
"""
