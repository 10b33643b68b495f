"""What people write about: themes, their words and volume over time, and some of what they say."""
