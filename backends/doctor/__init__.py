"""What is wrong with a box or a slot, why that matters, and mending what can be mended without touching work."""
