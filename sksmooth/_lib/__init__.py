"""What any package needs, and what this one needs of others."""
