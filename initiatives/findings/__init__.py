"""What stands against requirements, written to rows and holds, and told to everybody it reaches."""
