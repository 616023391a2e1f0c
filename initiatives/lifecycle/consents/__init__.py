"""Acts that need the consent of two people, with one set of acts and pages."""
