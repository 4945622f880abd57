"""What turns a machine into a box: the bootstrap, its unit files and settings."""
