"""Problems that users report by a public link."""
