"""What the PagerDuty connector is made of: its configuration, PagerDuty's shapes, its log and its check."""
