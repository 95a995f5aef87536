"""What the Jira connector is made of: its configuration, Jira's shapes, its issues and its feed."""
