"""What the ServiceNow connector is made of: its configuration, its shapes, what happened there, its feed."""
