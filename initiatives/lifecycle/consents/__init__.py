"""What holds only with the consent of two people: asked for, agreed to, refused; one set of acts and pages."""
