"""Changes of shared things, proposed by who may not make them and answered by who may."""
