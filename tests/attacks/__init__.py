"""The attacks that got through once, scripted: each is refused or found."""
