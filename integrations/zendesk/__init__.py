"""What the Zendesk connector is made of: its configuration, Zendesk's shapes, its audits and its feed."""
