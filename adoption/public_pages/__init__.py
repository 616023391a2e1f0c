"""The page and badge that show an AI's purpose, stage and limits without sign-in."""
