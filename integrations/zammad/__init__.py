"""What the connector of Zammad is made of: its configuration, its JSON, its feed, its check."""
