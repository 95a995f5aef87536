"""What the Freshservice connector is made of: its configuration, its JSON, its list, its check."""
