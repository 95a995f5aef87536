"""What is said to and heard from suppliers. Knows the register, not the screens."""
