"""What the Redmine connector is made of: its configuration, Redmine's shapes, its journals and its feed."""
