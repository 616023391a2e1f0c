"""The initiatives: answers and evidence, reviews and sign-offs, holds, imports."""
