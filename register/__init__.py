"""What is true: the incident register. Knows nothing of suppliers' systems or of screens."""
