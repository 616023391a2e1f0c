"""SystemImports: what an organisation has, read from its tables and documents into the register;
nothing is overwritten.
"""
