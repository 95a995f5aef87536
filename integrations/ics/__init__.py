"""Calendar feeds that say who is on call: fetched, read in a process of its own, and told to the register."""
