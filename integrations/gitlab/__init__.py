"""What the connector of GitLab is made of: its configuration, its JSON, its feed, its check."""
