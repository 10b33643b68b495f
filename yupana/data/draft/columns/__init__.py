"""What the columns of an unknown file hold, each guess with its evidence."""
